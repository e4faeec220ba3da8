/** Item 17: gradients that vanish on their way down, and deep sigmoid networks that under-fit. */
import {
  type ActivationName,
  type Dataset,
  evaluate,
  fit,
  init,
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
  /** Hidden layers, of 100 units each. */
  depth: number
}

/** What training makes of a network, and the gradient norms of its layers at the first step. */
async function train(
  data: Dataset,
  { activation, scheme, depth }: Setting,
  epochs: number,
  signal: AbortSignal,
) {
  setSeed(1)
  const hidden = new Array<number>(depth).fill(100)
  const model = mlp([784, ...hidden, 10], { activation, init: scheme })
  // lecture:begin
  const monitor = new Monitor({ every: 1000 }) // the first step is always looked at
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(model.parameters(), { lr: 0.05 }),
    epochs,
    monitor,
    seed: 0,
    signal,
  })
  const norms = monitor
    .series('gradientNorm') // of every layer: { step, layer, value }
    .filter(({ step }) => step === 1)
    .map(({ value }) => value)
  // lecture:end
  const { accuracy = 0 } = await evaluate(model, data, { loss: softmaxCrossEntropy })
  model.dispose()
  return { norms, error: 1 - accuracy }
}

const good = { sigmoid: init.glorotUniform, tanh: init.glorotUniform, relu: init.heNormal }
const small = init.normal(0, 0.02)

export const vanishing: Experiment = {
  name: 'vanishing',
  items: [17],
  needsMnist: true,
  title: 'Vanishing gradients and under-fitting',
  formula: String.raw`\frac{\partial l}{\partial a^{(k)}} = \Bigl(W^{(k+1)\top} \frac{\partial l}{\partial a^{(k+1)}}\Bigr) \odot g'(a^{(k)}), \qquad \mathrm{sigm}'(a) \le \tfrac14`,
  text: `Networks with hidden layers of 100 units learn MNIST digits, watched by a monitor that is
attached with one line. First the norm of the gradient at the first step, layer by layer, for six
hidden layers; then the training error after the same number of epochs, for one to six hidden layers.`,

  async run({ quick, signal, progress, mnist }: Context): Promise<Outcome> {
    const size = quick ? 5000 : 20_000
    const data = subset(
      mnist().train,
      Array.from({ length: size }, (_, i) => i),
    )
    const names = ['sigmoid', 'tanh', 'relu'] as const
    const depths = [1, 2, 3, 4, 5, 6]
    const errors: Record<string, number[]> = {}
    const norms: Record<string, number[]> = {}
    for (const [i, activation] of names.entries()) {
      errors[activation] = []
      for (const depth of depths) {
        const setting = { activation, scheme: good[activation], depth }
        const trained = await train(data, setting, 10, signal)
        errors[activation].push(trained.error)
        progress(i * depths.length + depth, names.length * depths.length + 3, activation)
        if (depth === 6) norms[activation] = trained.norms
      }
      const setting = { activation, scheme: small, depth: 6 }
      norms[`${activation}, std 0.02`] = (await train(data, setting, 1, signal)).norms
    }
    const kept = (name: string) => norms[name][0] / norms[name][5]
    const weakened = names.map((name) => norms[`${name}, std 0.02`][0] / norms[name][0])
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    const ratio = (name: string) => kept(name).toExponential(1)
    return {
      claims: [
        {
          claim: 'Sigmoid: the gradient vanishes (norm at the first hidden layer / at the sixth)',
          measured: ratio('sigmoid'),
          ok: kept('sigmoid') < 0.01,
        },
        {
          claim: 'tanh with Glorot, relu with He: it arrives (the same ratio)',
          measured: `${ratio('tanh')}, ${ratio('relu')}`,
          ok: kept('tanh') > 0.3 && kept('relu') > 0.3,
        },
        {
          claim:
            'From weights that are too small nothing arrives: norm at the first hidden layer, relative to good weights (sigmoid, tanh, relu)',
          measured: weakened.map((value) => value.toExponential(1)).join(', '),
          ok: weakened.every((value) => value < 1e-3),
        },
        {
          claim: 'Deep sigmoid networks under-fit: training error with 1 and with 6 hidden layers',
          measured: `${percent(errors.sigmoid[0])}, ${percent(errors.sigmoid[5])}`,
          ok: errors.sigmoid[0] < 0.15 && errors.sigmoid[5] > 0.8,
        },
        {
          claim: 'relu networks from He’s weights do not: the same for relu',
          measured: `${percent(errors.relu[0])}, ${percent(errors.relu[5])}`,
          ok: errors.relu[0] < 0.1 && errors.relu[5] < 0.1,
        },
      ],
      figures: [
        {
          name: 'norms',
          caption: `Norm of the gradient of each layer’s weights at the first step (layer 7 is the output):
Glorot’s weights for sigmoid and tanh, He’s for relu, and normal ones of standard deviation 0.02.`,
          svg: await lines(norms, { x: 'layer', y: '‖∂l/∂W‖', logY: true }),
        },
        {
          name: 'depth',
          caption: 'Training error after ten epochs against the number of hidden layers.',
          svg: await lines(
            Object.fromEntries(names.map((name) => [name, errors[name].map((e) => 100 * e)])),
            { x: 'hidden layers', y: 'training error (%)' },
          ),
        },
      ],
    }
  },
}
