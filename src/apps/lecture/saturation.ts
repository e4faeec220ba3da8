/** Item 17: units that saturate and units that die, per layer, while a network is trained. */
import {
  type ActivationName,
  type Dataset,
  fit,
  init,
  type Metric,
  Monitor,
  mlp,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

interface Setting {
  activation: ActivationName
  scheme: init.Initializer
  lr: number
  maxNorm?: number
}

const EPOCHS = 10
const DEPTH = 4

/** Four hidden layers of 100 units, looked at once in every epoch. */
async function watch(data: Dataset, setting: Setting, signal: AbortSignal) {
  const { activation, scheme, lr, maxNorm } = setting
  setSeed(1)
  const hidden = new Array<number>(DEPTH).fill(100)
  const model = mlp([784, ...hidden, 10], { activation, init: scheme })
  const batchSize = 50
  // lecture:begin
  const monitor = new Monitor({ every: data.size / batchSize })
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(model.parameters(), { lr, maxNorm }),
    epochs: EPOCHS,
    batchSize,
    monitor,
    seed: 0,
    signal,
  })
  const names = [...new Set(monitor.records.map(({ layer }) => layer))]
  const layersOf = (metric: Metric) =>
    // saturatedShare, deadShare, gradientNorm, weightNorm, updateNorm, updateRatio
    names.map((name) => monitor.series(metric).filter(({ layer }) => layer === name))
  // lecture:end
  model.dispose()
  return (metric: Metric) =>
    layersOf(metric)
      .map((series) => series.map(({ value }) => value))
      .filter(({ length }) => length)
}

/** A curve for each layer, over the epochs. */
const byLayer = (values: number[][], scale = 1) =>
  Object.fromEntries(values.map((ofLayer, i) => [`layer ${i + 1}`, ofLayer.map((v) => scale * v)]))

export const saturation: Experiment = {
  name: 'saturation',
  items: [17],
  needsMnist: true,
  title: 'Saturated and dead units',
  formula: String.raw`|g'(a)| < \tfrac{1}{20} \max_a |g'(a)| \;\text{(saturated)}, \qquad \max(0, a) = 0 \text{ for every example (dead)}`,
  text: `Networks with four hidden layers of 100 units learn MNIST digits while a monitor looks at them
once in every epoch: tanh units from good and from too large weights, and relu units with a learning
rate that is right and one that is too large (max-norm 3 keeps its weights from growing without end).`,

  async run({ quick, signal, progress, mnist }: Context): Promise<Outcome> {
    const size = quick ? 5000 : 20_000
    const data = subset(
      mnist().train,
      Array.from({ length: size }, (_, i) => i),
    )
    const large = init.normal(0, 0.3)
    const settings: Record<string, Setting> = {
      tanh: { activation: 'tanh', scheme: init.glorotUniform, lr: 0.05 },
      large: { activation: 'tanh', scheme: large, lr: 0.05 },
      relu: { activation: 'relu', scheme: init.heNormal, lr: 0.05 },
      fast: { activation: 'relu', scheme: init.heNormal, lr: 0.6, maxNorm: 3 },
    }
    const seen: Record<string, Awaited<ReturnType<typeof watch>>> = {}
    for (const [name, setting] of Object.entries(settings)) {
      seen[name] = await watch(data, setting, signal)
      progress(Object.keys(seen).length, 4, name)
    }
    const first = (values: number[][]) => values.map((ofLayer) => ofLayer[0])
    const last = (values: number[][]) => values.map((ofLayer) => ofLayer[ofLayer.length - 1])
    const percents = (values: number[]) => values.map((v) => `${(100 * v).toFixed(1)} %`).join(', ')
    const good = first(seen.tanh('saturatedShare'))
    const bad = first(seen.large('saturatedShare'))
    const alive = last(seen.relu('deadShare'))
    const dead = last(seen.fast('deadShare'))
    const ratios = [seen.relu, seen.fast].map((of) => first(of('updateRatio')))
    return {
      claims: [
        {
          claim:
            'tanh from Glorot’s weights: next to no unit is saturated at first (layers 1 to 4)',
          measured: percents(good),
          ok: good.every((share) => share < 0.05),
        },
        {
          claim: 'tanh from weights of standard deviation 0.3: more than a third are',
          measured: percents(bad),
          ok: bad.every((share) => share > 0.3),
        },
        {
          claim: 'relu, learning rate 0.05: few units are dead after ten epochs (layers 1 to 4)',
          measured: percents(alive),
          ok: alive.every((share) => share < 0.2),
        },
        {
          claim: 'relu, learning rate 0.6: many are, in some layer',
          measured: percents(dead),
          ok: Math.max(...dead) > 0.3,
        },
        {
          claim: 'The warning beforehand: size of an update against that of the weights, at first',
          measured: ratios.map((ratio) => Math.max(...ratio).toExponential(1)).join(', '),
          ok: Math.max(...ratios[1]) > 3 * Math.max(...ratios[0]),
        },
      ],
      figures: [
        {
          name: 'saturated',
          caption: 'tanh units from too large weights: share of saturated units over the epochs.',
          svg: await lines(byLayer(seen.large('saturatedShare'), 100), {
            x: 'epoch',
            y: 'saturated (%)',
          }),
        },
        {
          name: 'saturated-good',
          caption: 'The same from Glorot’s weights: units saturate while they learn.',
          svg: await lines(byLayer(seen.tanh('saturatedShare'), 100), {
            x: 'epoch',
            y: 'saturated (%)',
          }),
        },
        {
          name: 'dead',
          caption: 'relu units with the learning rate 0.6: share of dead units over the epochs.',
          svg: await lines(byLayer(seen.fast('deadShare'), 100), { x: 'epoch', y: 'dead (%)' }),
        },
        {
          name: 'updates',
          caption: 'Size of the updates of each layer, relu with the learning rate 0.05.',
          svg: await lines(byLayer(seen.relu('updateRatio'), 100), {
            x: 'epoch',
            y: '‖ΔW‖ / ‖W‖ (%)',
          }),
        },
      ],
    }
  },
}
