/** Item 14: over-fitting on a small noisy data set, and two ways out of it. */
import {
  type Dataset,
  digits,
  evaluate,
  type FitOptions,
  fit,
  Generator,
  l2,
  mlp,
  type Regularizer,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
} from 'neuroblas'
import { bars, learningCurves } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, formatList, percent } from './numbers.js'

// lecture:begin
/** The data set with a share of its labels drawn at random. */
function mislabel(data: Dataset, share: number, seed = 2): Dataset {
  const random = new Generator(seed).uniform([2, data.size]).data()
  const targets = (data.targets as Int32Array).map((label, i) =>
    random[i] < share ? Math.floor(10 * random[data.size + i]) : label,
  )
  return { ...data, targets }
}

const between = (data: Dataset, from: number, to: number) =>
  subset(
    data,
    Array.from({ length: to - from }, (_, i) => from + i),
  )
// lecture:end

export const overfitting: Experiment = {
  name: 'overfitting',
  items: [14],
  title: 'Over-fitting',
  formula: String.raw`\text{low bias, high variance:}\quad \frac1T \sum_t l_t \ll E[l]`,
  symbols: `l_t: the loss of training example t; E[l]: the mean loss of examples that were not trained on`,
  text: `A network with 200 hidden units learns 300 small digits of which every fifth has a random label.
It learns them by heart while the risk on 500 validation images rises. Early stopping and L2 keep it
from that; all three are compared on the remaining images.`,

  async run({ seed, signal, progress }: Context): Promise<Outcome> {
    // lecture:begin
    const all = digits()
    // lecture:as const train = mislabel(between(all, 0, 300), 0.2)
    const train = mislabel(between(all, 0, 300), 0.2, 2 + seed) // lecture:hide
    const validation = between(all, 300, 800)
    // lecture:end
    const test = between(all, 800, all.size)

    const run = async (options: Partial<FitOptions>, regularizer?: Regularizer) => {
      setSeed(1 + seed)
      // lecture:begin
      // lecture:as const regularizer = l2(3e-3) // or none
      const model = mlp([64, 200, 10])
      const history = await fit(model, train, {
        loss: softmaxCrossEntropy,
        optimizer: new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, regularizer }),
        epochs: 100,
        validation,
        // lecture:as earlyStopping: { patience: 10 }, // ends with the best weights
        signal, // lecture:hide
        ...options, // lecture:hide
      })
      // lecture:end
      const { loss: risk, accuracy = 0 } = await evaluate(model, test, {
        loss: softmaxCrossEntropy,
      })
      return { history, risk, accuracy, last: history.epochs[history.epochs.length - 1] }
    }
    const free = await run({})
    progress(1, 3)
    const stopped = await run({ earlyStopping: { patience: 10 } })
    progress(2, 3)
    const penalized = await run({}, l2(3e-3))

    const validationLosses = free.history.epochs.map(({ validationLoss = 0 }) => validationLoss)
    const least = Math.min(...validationLosses)
    const gap = ({ last }: typeof free) => (last.validationLoss ?? 0) - last.risk
    const kept = stopped.history.epochs[stopped.history.bestEpoch - 1]
    /** An accuracy with its standard error, √(p(1 − p) / n). */
    const withError = ({ accuracy: p }: typeof free) =>
      `${percent(p)} ± ${percent(Math.sqrt((p * (1 - p)) / test.size))}`
    return {
      claims: [
        {
          claim:
            'The training set is learned by heart, wrong labels and all (risk after 100 epochs)',
          measured: free.last.risk,
          ok: free.last.risk < 0.05,
        },
        {
          claim: 'while the validation risk rises from its least value (least, last)',
          measured: formatList([least, free.last.validationLoss ?? 0]),
          ok: (free.last.validationLoss ?? 0) > 1.3 * least,
        },
        {
          claim: 'Early stopping keeps the weights of the least validation risk',
          measured: `epoch ${stopped.history.bestEpoch}, ${format(kept.validationLoss ?? 0)}`,
          ok:
            stopped.history.ended === 'earlyStopping' &&
            stopped.history.epochs.every((epoch) => epoch.validationLoss! >= kept.validationLoss!),
        },
        {
          claim: 'L2 closes the gap between training and validation risk (without, with)',
          measured: formatList([free, penalized].map(gap)),
          ok: gap(penalized) < 0.5 * gap(free),
        },
        {
          claim: 'By risk, both pay on images never seen: test risk of over-fitted, stopped, L2',
          measured: formatList([free, stopped, penalized].map(({ risk }) => risk)),
          ok: stopped.risk < 0.8 * free.risk && penalized.risk < 0.8 * free.risk,
        },
      ],
      figures: [
        {
          name: 'curves',
          caption: 'Training and validation risk, without help and with L2.',
          svg: await learningCurves({ 'no regularizer': free.history, L2: penalized.history }),
        },
        {
          name: 'stopped',
          caption: 'Early stopping: the weights that are kept are those of the marked epoch.',
          svg: await learningCurves(stopped.history),
        },
        {
          name: 'test',
          caption: `Test risk. The test accuracies with their standard errors are ${[
            free,
            stopped,
            penalized,
          ]
            .map(withError)
            .join(', ')}: the risk counts how sure a wrong answer was, the accuracy does not.`,
          svg: await bars(
            { 'over-fitted': free.risk, 'stopped early': stopped.risk, L2: penalized.risk },
            { y: 'test risk' },
          ),
        },
      ],
    }
  },
}
