/** Item 17: gradients that vanish on their way down, and deep sigmoid networks that under-fit. */
import {
  type ActivationName,
  type Dataset,
  evaluate,
  fit,
  fullLike,
  init,
  Linear,
  mlp,
  mnist,
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
  /** Hidden layers, of 100 units each. */
  depth: number
}
// lecture:end

// lecture:begin
/** ‖∂l/∂a‖ of each layer: zeros are added to its pre-activations a, and get the gradient of a. */
function gradientNorms(model: Sequential, x: Tensor, labels: Tensor<'int32'>): number[] {
  return scope(() => {
    const added: Tensor[] = []
    let h = x
    for (const layer of model.layers) {
      h = layer.forward(h)
      if (!(layer instanceof Linear)) continue
      const zeros = fullLike(h, 0)
      zeros.requiresGrad = true
      added.push(zeros)
      h = h.add(zeros)
    }
    softmaxCrossEntropy(h, labels).backward()
    return added.map((zeros) => zeros.grad!.norm().item())
  })
}

/** A network from its first weights: the gradient norms on 500 examples. */
function look(data: Dataset, { activation, scheme, depth }: Setting, seed = 1): number[] {
  setSeed(seed)
  const units = [784, ...new Array<number>(depth).fill(100), 10]
  const model = mlp(units, { activation, init: scheme })
  const pixels = Float32Array.from(data.inputs.subarray(0, 500 * 784), (byte) => byte / 255)
  const labels = tensor(data.targets.slice(0, 500), [500], 'int32')
  const norms = gradientNorms(model, tensor(pixels, [500, 784]), labels)
  model.dispose()
  return norms
}
// lecture:end

/** The training error of a network that has learned for ten epochs. */
async function train(data: Dataset, setting: Setting, seed: number, signal: AbortSignal) {
  const { activation, scheme, depth } = setting
  setSeed(seed)
  const units = [784, ...new Array<number>(depth).fill(100), 10]
  const model = mlp(units, { activation, init: scheme })
  const optimizer = new SGD(model.parameters(), { lr: 0.05 })
  await fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs: 10, signal })
  const { accuracy = 0 } = await evaluate(model, data, { loss: softmaxCrossEntropy })
  model.dispose()
  return 1 - accuracy
}

const good = { sigmoid: init.glorotUniform, tanh: init.glorotUniform, relu: init.heNormal }
const small = init.normal(0, 0.02)

export const vanishing: Experiment = {
  name: 'vanishing',
  items: [17],
  needsMnist: true,
  title: 'Vanishing gradients and under-fitting',
  formula: String.raw`\frac{\partial l}{\partial a^{(k)}} = \Bigl(W^{(k+1)\top} \frac{\partial l}{\partial a^{(k+1)}}\Bigr) \odot g'(a^{(k)}), \qquad \mathrm{sigm}'(a) \le \tfrac14`,
  symbols: `∂l/∂a⁽ᵏ⁾: the gradient with respect to the pre-activations of layer k; ⊙: the product element by element`,
  text: `Networks with hidden layers of 100 units learn MNIST digits. First the norm of the gradient with
respect to the pre-activations, layer by layer, for six hidden layers before any training; then the training error after the same number of epochs, for one to six hidden layers.`,

  async run({ quick, signal, progress, seed }: Context): Promise<Outcome> {
    const size = quick ? 5000 : 20_000
    // lecture:begin
    // lecture:as const size = 20_000
    const data = subset(
      mnist().train,
      Array.from({ length: size }, (_, i) => i),
    )
    // lecture:as const norms = look(data, { activation: 'sigmoid', scheme: init.glorotUniform, depth: 6 })
    // lecture:end
    const names = ['sigmoid', 'tanh', 'relu'] as const
    const depths = [1, 2, 3, 4, 5, 6]
    const errors: Record<string, number[]> = {}
    const norms: Record<string, number[]> = {}
    for (const [i, activation] of names.entries()) {
      errors[activation] = []
      for (const depth of depths) {
        const setting = { activation, scheme: good[activation], depth }
        errors[activation].push(await train(data, setting, 1 + seed, signal))
        progress(i * depths.length + depth, names.length * depths.length, activation)
      }
      const deep = { activation, depth: 6 }
      norms[activation] = look(data, { ...deep, scheme: good[activation] }, 1 + seed)
      norms[`${activation}, std 0.02`] = look(data, { ...deep, scheme: small }, 1 + seed)
    }
    const kept = (name: string) => norms[name][0] / norms[name][5]
    const weakened = names.map((name) => kept(`${name}, std 0.02`))
    return {
      claims: [
        {
          claim: 'Sigmoid: the gradient vanishes (norm at the first hidden layer / at the sixth)',
          measured: formatList([kept('sigmoid')], 2),
          ok: kept('sigmoid') < 0.01,
        },
        {
          claim: 'tanh with Glorot, relu with He: it arrives (the same ratio)',
          measured: formatList([kept('tanh'), kept('relu')], 2),
          ok: kept('tanh') > 0.3 && kept('relu') > 0.3,
        },
        {
          claim:
            'From weights that are too small nothing arrives (the same ratio for sigmoid, tanh, relu)',
          measured: formatList(weakened, 2),
          ok: weakened.every((value) => value < 1e-3),
        },
        {
          claim: 'Deep sigmoid networks under-fit: training error with 1 and with 6 hidden layers',
          measured: percents([errors.sigmoid[0], errors.sigmoid[5]]),
          ok: errors.sigmoid[0] < 0.15 && errors.sigmoid[5] > 0.8,
        },
        {
          claim: 'relu networks from He’s weights do not: the same for relu',
          measured: percents([errors.relu[0], errors.relu[5]]),
          ok: errors.relu[0] < 0.1 && errors.relu[5] < 0.1,
        },
      ],
      figures: [
        {
          name: 'norms',
          caption: `Norm of the gradient with respect to each layer’s pre-activations, on 500 examples (layer 7 is the
output): Glorot’s weights for sigmoid and tanh, He’s for relu, and normal ones of standard deviation 0.02.`,
          svg: await lines(norms, { x: 'layer', y: '‖∂l/∂a‖', logY: true }),
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
