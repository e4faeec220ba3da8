/** Item 10: the losses against their formulas, and why they bound the classification error. */
import {
  binaryCrossEntropyWithLogits,
  evaluate,
  fit,
  fullLike,
  hinge,
  huber,
  Linear,
  type Loss,
  mae,
  mse,
  SGD,
  setSeed,
  type TargetKind,
  tensor,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format } from './numbers.js'
import { corners } from './points.js'

interface Case {
  name: string
  loss: Loss<TargetKind>
  /** Of an output against a target, in double precision. */
  formula: (output: number, target: number) => number
  derivative: (output: number, target: number) => number
  targets: readonly number[]
}

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a))

const cases: Case[] = [
  {
    name: 'cross-entropy from a logit',
    loss: binaryCrossEntropyWithLogits,
    formula: (a, t) => Math.max(a, 0) - t * a + Math.log1p(Math.exp(-Math.abs(a))),
    derivative: (a, t) => sigmoid(a) - t,
    targets: [0, 1],
  },
  {
    name: 'hinge',
    loss: hinge,
    formula: (s, t) => Math.max(0, 1 - t * s),
    derivative: (s, t) => (t * s < 1 ? -t : 0),
    targets: [-1, 1],
  },
  {
    name: 'squared error',
    loss: mse,
    formula: (y, t) => (y - t) ** 2,
    derivative: (y, t) => 2 * (y - t),
    targets: [0, 1],
  },
  {
    name: 'absolute error',
    loss: mae,
    formula: (y, t) => Math.abs(y - t),
    derivative: (y, t) => Math.sign(y - t),
    targets: [0, 1],
  },
  {
    name: 'Huber',
    loss: huber,
    formula: (y, t) => (Math.abs(y - t) <= 1 ? (y - t) ** 2 / 2 : Math.abs(y - t) - 0.5),
    derivative: (y, t) => Math.max(-1, Math.min(1, y - t)),
    targets: [0, 1],
  },
]

/** Largest differences of a loss and its gradient from the formulas, relative above 1. */
function compare({ loss, formula, derivative, targets }: Case): number {
  // No output on a kink: there the derivative is a matter of choice.
  const outputs = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 10 + 0.03)
  let largest = 0
  for (const target of targets) {
    const y = tensor(outputs)
    y.requiresGrad = true
    const losses = loss(y, tensor(outputs.map(() => target)), 'none')
    losses.sum().backward()
    const differ = (found: Float32Array, of: (y: number, t: number) => number) =>
      found.forEach((value, i) => {
        const expected = of(outputs[i], target)
        largest = Math.max(largest, Math.abs(value - expected) / Math.max(1, Math.abs(expected)))
      })
    differ(losses.data(), formula)
    differ(y.grad!.data(), derivative)
  }
  return largest
}

// lecture:begin
/** Margins t·s of a score for targets of ±1, and what the losses make of them. */
function againstMargin() {
  const margins = Float32Array.from({ length: 601 }, (_, i) => (i - 300) / 100)
  const s = tensor(margins)
  const t = fullLike(s, 1)
  const curves = {
    '0/1 error': s.lessEqual(0).data(),
    hinge: hinge(s, t, 'none').data(),
    'logistic / log 2': binaryCrossEntropyWithLogits(s, t, 'none').div(Math.LN2).data(),
  }
  return { margins, curves }
}
// lecture:end

export const losses: Experiment = {
  name: 'bounds',
  items: [10],
  title: 'Losses, and the error they bound',
  formula: String.raw`[\,t s \le 0\,] \;\le\; \max(0, 1 - t s), \qquad [\,t s \le 0\,] \;\le\; \log_2\bigl(1 + e^{-t s}\bigr)`,
  symbols: `s: the output, a score; t: its target, −1 or 1; ts: the margin, negative where the sign of s is wrong;
[ts ≤ 0]: the 0/1 error, 1 where that is so`,
  text: `Each loss and its gradient is compared with its formula in double precision. As a function of
the margin ts, the 0/1 error lies below the hinge loss and below the logistic loss in units of log 2,
so that lowering them lowers a bound of the error; this is also measured during a training run.`,

  async run({ seed, signal }: Context): Promise<Outcome> {
    const claims: Outcome['claims'] = cases.map((row) => {
      const error = compare(row)
      return {
        claim: `${row.name}: loss and gradient as by the formula (largest difference, relative above 1)`,
        measured: error,
        ok: error < 3e-7,
      }
    })

    const { margins, curves } = againstMargin()
    const error = curves['0/1 error']
    for (const name of ['hinge', 'logistic / log 2'] as const) {
      const slack = curves[name].map((loss, i) => loss - error[i])
      claims.push({
        claim: `${name} is nowhere below the 0/1 error (least difference over 601 margins)`,
        measured: Math.min(...slack),
        ok: slack.every((value) => value >= 0),
      })
    }

    const data = corners([0, 1, 1, 1], 100, 0.8, 4 + seed)
    const bounds = []
    for (const [name, loss, unit] of [
      ['hinge', hinge, 1],
      ['logistic', binaryCrossEntropyWithLogits, Math.LN2],
    ] as const) {
      setSeed(3 + seed)
      const neuron = new Linear(2, 1)
      const history: { bound: number; error: number }[] = []
      const record = async () => {
        const { loss: risk, accuracy = 0 } = await evaluate(neuron, data, { loss })
        history.push({ bound: risk / unit, error: 1 - accuracy })
      }
      await record()
      await fit(neuron, data, {
        loss,
        optimizer: new SGD(neuron.parameters(), { lr: 0.02 }),
        epochs: 30,
        onEpoch: record,
        seed: 0,
        signal,
      })
      bounds.push({ name, history })
      const first = history[0]
      const last = history[history.length - 1]
      const text = (at: typeof first) => `${format(at.error)} ≤ ${format(at.bound)}`
      claims.push({
        claim: `Training on ${name}: the error stays below the mean loss, and both fall`,
        measured: `${text(first)} before, ${text(last)} after`,
        ok:
          history.every((at) => at.error <= at.bound) &&
          last.error < first.error &&
          last.bound < first.bound,
      })
    }

    const residuals = Float32Array.from({ length: 241 }, (_, i) => (i - 120) / 40)
    const r = tensor(residuals)
    const ofResidual = (loss: Loss<TargetKind>) => ({
      x: residuals,
      y: loss(r, fullLike(r, 0), 'none').data(),
    })
    const [first, second] = bounds
    const epochs = first.history.map((_, epoch) => epoch)
    return {
      claims,
      figures: [
        {
          name: 'classification',
          caption: 'The 0/1 error and two losses above it, against the margin.',
          svg: await lines(
            Object.fromEntries(
              Object.entries(curves).map(([name, y]) => [name, { x: margins, y }]),
            ),
            { x: 'margin ts', y: 'loss' },
          ),
        },
        {
          name: 'regression',
          caption: 'Losses of a residual: Huber is squared near 0 and absolute far away.',
          svg: await lines(
            { squared: ofResidual(mse), absolute: ofResidual(mae), Huber: ofResidual(huber) },
            { x: 'residual y − t', y: 'loss' },
          ),
        },
        {
          name: 'bounds',
          caption: 'Mean losses and classification errors of two neurons while they are trained.',
          svg: await lines(
            {
              hinge: { x: epochs, y: first.history.map(({ bound }) => bound) },
              'error, hinge': { x: epochs, y: first.history.map(({ error }) => error) },
              'logistic / log 2': { x: epochs, y: second.history.map(({ bound }) => bound) },
              'error, logistic': { x: epochs, y: second.history.map(({ error }) => error) },
            },
            { x: 'epoch', y: 'mean loss, error' },
          ),
        },
      ],
    }
  },
}
