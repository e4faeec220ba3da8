/** Item 18: unsupervised pre-training, layer by layer, then refining. */
import {
  evaluate,
  fit,
  init,
  mlp,
  mnist,
  type PretrainOptions,
  pretrain,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
} from 'neuroblas'
import { lines, weightImages } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { percents } from './numbers.js'

/** Glorot’s bound times 4, which sigmoids need, because their slope is 1/4 at most (Glorot and Bengio 2010). */
const scaled: init.Initializer = (shape, generator) => {
  const { fanIn, fanOut } = init.fans(shape)
  const bound = 4 * Math.sqrt(6 / (fanIn + fanOut))
  return init.uniform(-bound, bound)(shape, generator)
}

const methods: Record<string, PretrainOptions | undefined> = {
  'Glorot’s weights': undefined,
  'Glorot’s weights × 4': undefined,
  'denoising autoencoders': {
    method: 'autoencoder',
    noise: { masking: 0.25 },
    epochs: 5,
    batchSize: 50,
  },
  'restricted Boltzmann machines': { method: 'rbm', k: 1, epochs: 5, batchSize: 50 },
}

export const pretraining: Experiment = {
  name: 'pretraining',
  items: [18],
  needsMnist: true,
  title: 'Unsupervised pre-training',
  formula: String.raw`\text{RBM:}\quad p(v, h) \propto e^{b^\top v + v^\top W h + c^\top h}, \qquad \Delta W \propto \langle v h^\top \rangle_{0} - \langle v h^\top \rangle_{1}`,
  symbols: `v: the inputs of a layer; h: its units, 0 or 1; b, c: the biases of both; ⟨ ⟩₀: the mean over the
data; ⟨ ⟩₁: the mean after one step of Gibbs sampling`,
  text: `A network with four hidden layers of sigmoid units hardly learns from random weights. Here its
layers are first trained one after the other without labels, as denoising autoencoders or as restricted
Boltzmann machines (contrastive divergence with one step); then the same supervised training refines all. That is
more work: five epochs for each of the four layers come before the supervised ones. Whether it pays is
also asked of random weights that are four times as large, as sigmoids need them.`,

  async run({ quick, signal, progress, seed }: Context): Promise<Outcome> {
    const { train, test } = mnist()
    const size = quick ? 5000 : 30_000
    const data = subset(
      train,
      Array.from({ length: size }, (_, i) => i),
    )
    const width = quick ? 100 : 200
    const epochs = quick ? 6 : 10
    const errors: Record<string, number[]> = {}
    const pictures: Record<string, string> = {}
    const total = Object.keys(methods).length
    for (const [name, method] of Object.entries(methods)) {
      setSeed(1 + seed)
      const scheme = name.endsWith('× 4') ? scaled : init.glorotUniform
      const units = [784, width, width, width, width, 10]
      // lecture:begin
      // lecture:as const units = [784, 200, 200, 200, 200, 10]
      // lecture:as const model = mlp(units, { activation: 'sigmoid' })
      // lecture:as const { train: data, test } = mnist()
      // lecture:as await pretrain(model, data, { method: 'rbm', k: 1, epochs: 5, batchSize: 50 }) // no labels
      const model = mlp(units, { activation: 'sigmoid', init: scheme }) // lecture:hide
      if (method) await pretrain(model, data, { ...method, signal }) // lecture:hide
      const [features] = model.parameters()
      const picture = await weightImages(features.slice(undefined, [0, 40]), { columns: 10 })
      pictures[name] = picture // lecture:hide
      errors[name] = [] // lecture:hide
      await fit(model, data, {
        loss: softmaxCrossEntropy,
        optimizer: new SGD(model.parameters(), { lr: 0.1 }),
        // lecture:as epochs: 10,
        epochs, // lecture:hide
        signal, // lecture:hide
        onEpoch: async ({ epoch }) => {
          const { accuracy = 0 } = await evaluate(model, test, { loss: softmaxCrossEntropy })
          // lecture:as console.log(epoch, 1 - accuracy)
          errors[name].push(1 - accuracy) // lecture:hide
          progress(Object.keys(errors).length - 1 + epoch / epochs, total, name) // lecture:hide
        },
      })
      // lecture:end
      model.dispose()
    }
    const last = Object.values(errors).map((values) => values[values.length - 1])
    const [random, better, autoencoder, rbm] = last
    const first = Object.values(errors).map(([value]) => value)
    return {
      claims: [
        {
          claim: `Test error after the same ${epochs} supervised epochs: Glorot’s weights, four times as large ones, autoencoders, Boltzmann machines`,
          measured: percents(last, 2),
          ok: autoencoder < random / 2 && rbm < random / 2,
        },
        {
          claim: `Pre-trained networks are better after one epoch than that from Glorot’s weights after ${epochs}`,
          measured: `${percents(first.slice(2), 2)} against ${percents([random], 2)}`,
          ok: first[2] < random && first[3] < random,
        },
        {
          claim: 'A better random start helps, too: larger weights against Glorot’s',
          measured: percents([better, random], 2),
          ok: better < random,
        },
      ],
      figures: [
        {
          name: 'errors',
          caption: 'Test error during the supervised epochs.',
          svg: await lines(inPercent(errors), { x: 'supervised epoch', y: 'test error (%)' }),
        },
        {
          name: 'autoencoder',
          caption:
            'First-layer weights after pre-training with denoising autoencoders, before any label.',
          svg: pictures['denoising autoencoders'],
        },
        {
          name: 'rbm',
          caption: 'The same after pre-training with restricted Boltzmann machines.',
          svg: pictures['restricted Boltzmann machines'],
        },
      ],
    }
  },
}

const inPercent = (errors: Record<string, number[]>) =>
  Object.fromEntries(
    Object.entries(errors).map(([name, values]) => [name, values.map((error) => 100 * error)]),
  )
