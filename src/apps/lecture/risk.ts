/** Item 7: what training minimizes: risk, penalty and their sum. */
import { type Dataset, digits, fit, Linear, l2, SGD, setSeed, softmaxCrossEntropy } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { formatList } from './numbers.js'

// lecture:begin
/** Softmax regression with L2 of one strength: what each epoch reports, and the weights in the end. */
async function train(
  data: Dataset,
  lambda: number,
  epochs: number,
  seed: number,
  signal?: AbortSignal,
) {
  setSeed(seed)
  const model = new Linear(64, 10)
  const optimizer = new SGD(model.parameters(), { lr: 0.5, regularizer: l2(lambda) })
  const settings = { loss: softmaxCrossEntropy, optimizer, epochs, batchSize: 128, signal }
  const history = await fit(model, data, settings)
  const { risk, penalty, objective } = history.epochs[epochs - 1] // objective = risk + penalty
  const weights = model.weight.data()
  model.dispose()
  return { lambda, risk, penalty, objective, weights, epochs: history.epochs }
}
// lecture:end

const strengths = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]

export const risk: Experiment = {
  name: 'risk',
  items: [7],
  title: 'Empirical risk minimization',
  formula: String.raw`\arg\min_\theta \; \frac{1}{T} \sum_t l\bigl(y(x^{(t)}; \theta), y^{(t)}\bigr) + \lambda\, \Omega(\theta), \qquad \Omega(\theta) = \sum_{k} \sum_{i,j} \bigl(W^{(k)}_{ij}\bigr)^2`,
  symbols: `θ: all weights and biases; T: the number of training examples x⁽ᵗ⁾ with their targets y⁽ᵗ⁾; l: the loss
of one example; Ω: the regularizer, here L2, a sum over the weights of all layers k; λ: its strength`,
  text: `Softmax regression on 1,797 small digits, with L2 of six strengths λ. Each epoch reports the
risk, the penalty λΩ and their sum, the objective. The problem is convex, so λ trades one for the
other: the larger λ, the smaller Ω and the higher the risk.`,

  async run({ quick, seed, signal, progress }: Context): Promise<Outcome> {
    // lecture:begin
    const data = digits()
    // lecture:as console.log((await train(data, 0.003, 50, 1)).objective)
    // lecture:end
    const ends = []
    for (const lambda of strengths) {
      const trained = await train(data, lambda, quick ? 50 : 400, 1 + seed, signal)
      ends.push({ ...trained, omega: trained.weights.reduce((sum, w) => sum + w * w, 0) })
      progress(ends.length, strengths.length, `λ = ${lambda}`)
    }
    const byHand = Math.max(
      ...ends.map(({ lambda, penalty, omega }) => Math.abs(penalty / (lambda * omega) - 1)),
    )
    const rises = (values: number[]) => values.every((value, i) => i === 0 || value > values[i - 1])
    const omegas = ends.map(({ omega }) => omega)
    const risks = ends.map(({ risk }) => risk)
    return {
      claims: [
        {
          claim:
            'penalty = λ Σ W², summed by hand over weights alone (largest relative difference)',
          measured: byHand,
          ok: byHand < 1e-5,
        },
        { claim: 'The risk rises with λ', measured: formatList(risks), ok: rises(risks) },
        {
          claim: 'Ω = Σ W² falls with λ',
          measured: formatList(omegas),
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
