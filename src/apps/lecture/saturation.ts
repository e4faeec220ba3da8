/** Item 17: units that saturate and units that die, per layer, while a network is trained. */
import {
  type ActivationName,
  type Dataset,
  fit,
  init,
  Monitor,
  type MonitorMetric,
  mlp,
  mnist,
  noGrad,
  ReLU,
  type Sequential,
  SGD,
  scope,
  setSeed,
  softmaxCrossEntropy,
  subset,
  type Tensor,
  tensor,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { formatList, percents } from './numbers.js'

// lecture:begin
interface Setting {
  activation: ActivationName
  scheme: init.Initializer
  lr: number
  maxNorm?: number
}
// lecture:end

// lecture:begin
/** Of each hidden layer, the share of relu units that are 0 for every example. */
function deadShares(model: Sequential, inputs: Tensor): number[] {
  return noGrad(() =>
    scope(() => {
      const shares: number[] = []
      let h = inputs
      for (const layer of model.layers) {
        h = layer.forward(h)
        if (layer instanceof ReLU) shares.push(h.max(0).equal(0).mean().item())
      }
      return shares
    }),
  )
}

/** Four hidden layers of 100 units learn; a monitor looks at one batch in every epoch. */
async function watch(data: Dataset, setting: Setting, seed = 1, signal?: AbortSignal) {
  const { activation, scheme, lr, maxNorm } = setting
  setSeed(seed)
  const model = mlp([784, 100, 100, 100, 100, 10], { activation, init: scheme })
  const batchSize = 50
  const monitor = new Monitor({ every: data.size / batchSize })
  const inputs = tensor(
    Float32Array.from(data.inputs, (byte) => byte / 255),
    [data.size, 784],
  )
  const dead: number[][] = []
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(model.parameters(), { lr, maxNorm }),
    epochs: 10,
    batchSize,
    monitor,
    onEpoch: () => void dead.push(deadShares(model, inputs)),
    signal,
  })
  inputs.dispose()
  model.dispose()
  return { monitor, dead }
}
// lecture:end

/** Of each layer that has it, what the monitor saw, epoch by epoch. */
function seriesOf(monitor: Monitor, metric: MonitorMetric): number[][] {
  const names = [...new Set(monitor.records.map(({ layer }) => layer))]
  return names
    .map((name) => monitor.series(metric).filter(({ layer }) => layer === name))
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
  symbols: `g′: the derivative of the activation function; a: the pre-activations of a unit, one for each example`,
  text: `Networks with four hidden layers of 100 units learn MNIST digits while a monitor looks at them
once in every epoch, at one batch of 50: tanh units from good and from too large weights, and relu units
with a learning rate that is right and one that is too large (max-norm 3 keeps its weights from growing
without end). Whether a relu unit is dead is asked of all images.`,

  async run({ quick, signal, progress, seed }: Context): Promise<Outcome> {
    const size = quick ? 5000 : 20_000
    // lecture:begin
    // lecture:as const size = 20_000
    const data = subset(
      mnist().train,
      Array.from({ length: size }, (_, i) => i),
    )
    // lecture:as const { monitor, dead } = await watch(data, { activation: 'relu', scheme: init.heNormal, lr: 0.6, maxNorm: 3 })
    // lecture:as const updates = monitor.series('updateRatio') // or saturatedShare, gradientNorm, …
    // lecture:end
    const large = init.normal(0, 0.3)
    const settings: Record<string, Setting> = {
      tanh: { activation: 'tanh', scheme: init.glorotUniform, lr: 0.05 },
      large: { activation: 'tanh', scheme: large, lr: 0.05 },
      relu: { activation: 'relu', scheme: init.heNormal, lr: 0.05 },
      fast: { activation: 'relu', scheme: init.heNormal, lr: 0.6, maxNorm: 3 },
    }
    const seen: Record<string, Awaited<ReturnType<typeof watch>>> = {}
    for (const [name, setting] of Object.entries(settings)) {
      seen[name] = await watch(data, setting, 1 + seed, signal)
      progress(Object.keys(seen).length, 4, name)
    }
    const of = (name: string, metric: MonitorMetric) => seriesOf(seen[name].monitor, metric)
    const first = (values: number[][]) => values.map((ofLayer) => ofLayer[0])
    const good = first(of('tanh', 'saturatedShare'))
    const bad = first(of('large', 'saturatedShare'))
    const [alive, dead] = [seen.relu.dead, seen.fast.dead].map((epochs) => epochs.at(-1)!)
    const sampled = of('fast', 'deadShare').map((series) => series.at(-1)!)
    const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
    const ratios = ['relu', 'fast'].map((name) => Math.max(...first(of(name, 'updateRatio'))))
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
          ok: bad.every((share) => share > 1 / 3),
        },
        {
          claim:
            'relu, learning rate 0.05: next to no unit is dead after ten epochs (layers 1 to 4)',
          measured: percents(alive),
          ok: alive.every((share) => share < 0.05),
        },
        {
          claim: 'relu, learning rate 0.6: in some layer a tenth and more are',
          measured: percents(dead),
          ok: Math.max(...dead) > 0.1,
        },
        {
          claim: 'Over one batch of 50, as the monitor looks, more units seem dead than are',
          measured: percents(sampled),
          ok: mean(sampled) > mean(dead),
        },
        {
          claim: 'The warning beforehand: size of an update against that of the weights, at first',
          measured: formatList(ratios, 2),
          ok: ratios[1] > 3 * ratios[0],
        },
      ],
      figures: [
        {
          name: 'saturated',
          caption: 'tanh units from too large weights: share of saturated units over the epochs.',
          svg: await lines(byLayer(of('large', 'saturatedShare'), 100), {
            x: 'epoch',
            y: 'saturated (%)',
          }),
        },
        {
          name: 'saturated-good',
          caption: 'The same from Glorot’s weights: units saturate while they learn.',
          svg: await lines(byLayer(of('tanh', 'saturatedShare'), 100), {
            x: 'epoch',
            y: 'saturated (%)',
          }),
        },
        {
          name: 'dead',
          caption:
            'relu units with the learning rate 0.6: share of the units that are 0 for every image.',
          svg: await lines(
            byLayer(
              dead.map((_, layer) => seen.fast.dead.map((epoch) => epoch[layer])),
              100,
            ),
            { x: 'epoch', y: 'dead (%)' },
          ),
        },
        {
          name: 'updates',
          caption: 'Size of the updates of each layer, relu with the learning rate 0.05.',
          svg: await lines(byLayer(of('relu', 'updateRatio'), 100), {
            x: 'epoch',
            y: '‖ΔW‖ / ‖W‖ (%)',
          }),
        },
      ],
    }
  },
}
