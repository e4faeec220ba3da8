/** Item 7: what training minimizes: risk, penalty and their sum. */
import { digits, fit, Linear, l2, SGD, softmaxCrossEntropy } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

const strengths = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]

export const risk: Experiment = {
  name: 'risk',
  items: [7],
  title: 'Empirical risk minimization',
  formula: String.raw`\arg\min_\theta \; \frac{1}{T} \sum_t l\bigl(y(x^{(t)}; \theta), y^{(t)}\bigr) + \lambda\, \Omega(\theta)`,
  text: `Softmax regression on 1,797 small digits, with L2 of six strengths λ. Each epoch reports the
risk, the penalty λΩ and their sum, the objective. The problem is convex, so λ trades one for the
other: the larger λ, the smaller Ω and the higher the risk.`,

  async run({ quick, signal, progress }: Context): Promise<Outcome> {
    const data = digits()
    const ends = []
    for (const lambda of strengths) {
      // lecture:begin
      const model = new Linear(64, 10)
      const optimizer = new SGD(model.parameters(), { lr: 0.5, regularizer: l2(lambda) })
      const { epochs } = await fit(model, data, {
        loss: softmaxCrossEntropy,
        optimizer,
        epochs: quick ? 50 : 400,
        batchSize: 128,
        seed: 0,
        signal,
      })
      const { risk, penalty, objective } = epochs[epochs.length - 1]
      // lecture:end
      const omega = model.weight.data().reduce((sum, w) => sum + w * w, 0)
      ends.push({ lambda, risk, penalty, objective, omega, epochs })
      model.dispose()
      progress(ends.length, strengths.length, `λ = ${lambda}`)
    }
    const sum = Math.max(...ends.map((end) => Math.abs(end.objective - end.risk - end.penalty)))
    const byHand = Math.max(
      ...ends.map(({ lambda, penalty, omega }) => Math.abs(penalty / (lambda * omega) - 1)),
    )
    const rises = (values: number[]) => values.every((value, i) => i === 0 || value > values[i - 1])
    const list = (values: number[]) => values.map((value) => value.toPrecision(3)).join(', ')
    const omegas = ends.map(({ omega }) => omega)
    const risks = ends.map(({ risk }) => risk)
    return {
      claims: [
        {
          claim: 'objective = risk + penalty (largest difference)',
          measured: sum,
          ok: sum < 1e-12,
        },
        {
          claim:
            'penalty = λ Σ W², summed by hand over weights alone (largest relative difference)',
          measured: byHand,
          ok: byHand < 1e-5,
        },
        { claim: 'The risk rises with λ', measured: list(risks), ok: rises(risks) },
        {
          claim: 'Ω = Σ W² falls with λ',
          measured: list(omegas),
          ok: rises(omegas.toReversed()),
        },
      ],
      figures: [
        {
          name: 'objective',
          caption: 'Risk, penalty and objective during training with λ = 0.003.',
          svg: await lines(
            {
              risk: ends[3].epochs.map(({ risk }) => risk),
              penalty: ends[3].epochs.map(({ penalty }) => penalty),
              objective: ends[3].epochs.map(({ objective }) => objective),
            },
            { x: 'epoch', y: 'mean loss' },
          ),
        },
        {
          name: 'trade-off',
          caption: 'Risk against Ω for the six strengths, from λ = 0.0001 (right) to 0.03 (left).',
          svg: await lines(
            { 'trained models': { x: omegas, y: risks } },
            { x: 'Ω = Σ W²', y: 'risk' },
          ),
        },
      ],
    }
  },
}
