/** Item 14: bias and variance over resampled training sets, against the size of the model. */
import {
  Adam,
  type Dataset,
  dataset,
  fit,
  Generator,
  init,
  mlp,
  mse,
  noGrad,
  setSeed,
  tensor,
} from 'neuroblas'
import { biasVariance, decompose, lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { formatList } from './numbers.js'

const sizes = [1, 2, 4, 8, 16, 32, 64]
// lecture:begin
const truth = (x: number) => 1.5 * x + 0.7 * Math.sin(8 * x)

/** Where the models are compared with the truth, and what it is there. */
const places = Float32Array.from({ length: 91 }, (_, i) => (i - 45) / 50)
const targets = places.map(truth)

/** Thirty values with noise of standard deviation 0.4; another sample for each seed. */
function sample(seed: number): Dataset {
  const random = new Generator(seed)
  const x = random.uniform([30, 1], -1, 1).data()
  const noise = random.normal([30], 0, 0.4).data()
  const y = Float32Array.from(x, (value, i) => truth(value) + noise[i])
  return dataset({ inputs: x, inputShape: [1], targets: y })
}

/** What a model with this many hidden units, trained on one sample, predicts at the places. */
async function predictionsOf(units: number, seed: number, signal?: AbortSignal) {
  setSeed(seed)
  const model = mlp([1, units, 1], { activation: 'tanh', init: init.normal(0, 2) })
  const [, bias, second] = model.parameters()
  bias.assign(init.normal(0, 2)(bias.shape))
  second.assign(init.lecunNormal(second.shape))
  const optimizer = new Adam(model.parameters(), { lr: 0.03 })
  const data = sample(seed)
  await fit(model, data, {
    loss: mse,
    optimizer,
    epochs: 2000,
    batchSize: data.size,
    seed: 0,
    signal,
  })
  const predictions = noGrad(() => model.forward(tensor(places, [places.length, 1]))).data()
  model.dispose()
  return predictions
}
// lecture:end

export const variance: Experiment = {
  name: 'variance',
  items: [14],
  title: 'Bias and variance',
  formula: String.raw`E\bigl[(\hat y - y)^2\bigr] = \underbrace{\bigl(E[\hat y] - y\bigr)^2}_{\text{bias}^2} + \underbrace{E\bigl[(\hat y - E[\hat y])^2\bigr]}_{\text{variance}}`,
  symbols: `E: the mean over training sets; y: the true value; ŷ: what a model that one set trained predicts`,
  text: `Networks with 1 to 64 hidden units are trained, each size on many samples of 30 noisy values of
the same curve. How far their mean prediction is from the curve is the bias; how much the predictions
differ from sample to sample is the variance.`,

  async run({ quick, seed: shift, signal, progress }: Context): Promise<Outcome> {
    const samples = quick ? 20 : 60
    const decompositions = []
    const pictures: Record<string, { x: Float32Array; y: Float32Array }> = {
      truth: { x: places, y: targets },
    }
    for (const [i, units] of sizes.entries()) {
      // lecture:begin
      // lecture:as const [units, samples] = [8, 12]
      const predictions: Float32Array[] = []
      for (let seed = 1; seed <= samples; seed++) {
        // lecture:as predictions.push(await predictionsOf(units, seed))
        predictions.push(await predictionsOf(units, 1000 * shift + seed, signal)) // lecture:hide
        progress(i * samples + seed, sizes.length * samples, `${units} hidden units`) // lecture:hide
      }
      // lecture:as const { bias2, variance, error } = decompose(predictions, targets)
      decompositions.push(decompose(predictions, targets)) // lecture:hide
      // lecture:end
      if (units === 1 || units === 64) {
        const name = units === 1 ? '1 unit' : `${units} units`
        for (const which of [0, 1]) {
          pictures[`${name}, sample ${which + 1}`] = { x: places, y: predictions[which] }
        }
      }
    }
    const [first] = decompositions
    const last = decompositions[decompositions.length - 1]
    const errors = decompositions.map(({ error }) => error)
    const best = errors.indexOf(Math.min(...errors))
    return {
      claims: [
        {
          claim: 'Small models are biased: squared bias with 1 hidden unit and with 64',
          measured: formatList([first.bias2, last.bias2]),
          ok: first.bias2 > 5 * last.bias2,
        },
        {
          claim: 'Large models vary: variance with 1 hidden unit and with 64',
          measured: formatList([first.variance, last.variance]),
          ok: last.variance > 1.5 * first.variance,
        },
        {
          claim: 'The error is least in between (for 1, 2, 4, 8, 16, 32, 64 hidden units)',
          measured: `${formatList(errors)}: least with ${sizes[best]}`,
          ok: best > 0 && best < sizes.length - 1,
        },
      ],
      figures: [
        {
          name: 'decomposition',
          caption: `Squared bias, variance and their sum over ${samples} samples.`,
          svg: await biasVariance(sizes, decompositions, { logX: true }),
        },
        {
          name: 'predictions',
          caption:
            'The curve, and what the smallest and the largest model made of two samples of it.',
          svg: await lines(pictures, { x: 'x', y: 'y' }),
        },
      ],
    }
  },
}
