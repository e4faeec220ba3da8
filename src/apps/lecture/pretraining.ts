/** Item 18: unsupervised pre-training, layer by layer, then refining. */
import {
  evaluate,
  fit,
  mlp,
  type PretrainOptions,
  pretrain,
  SGD,
  setSeed,
  softmaxCrossEntropy,
  subset,
} from 'neuroblas'
import { lines, weightImages } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

const methods: Record<string, PretrainOptions | undefined> = {
  'random initialization': undefined,
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
  text: `A network with four hidden layers of sigmoid units hardly learns from random weights. Here its
layers are first trained one after the other without labels, as denoising autoencoders or as restricted
Boltzmann machines (contrastive divergence with one step); then the same supervised training refines all.`,

  async run({ quick, signal, progress, mnist }: Context): Promise<Outcome> {
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
      setSeed(1)
      // lecture:begin
      const model = mlp([784, width, width, width, width, 10], { activation: 'sigmoid' })
      if (method) await pretrain(model, data, { ...method, seed: 0, signal }) // looks at no label
      const [features] = model.parameters()
      pictures[name] = await weightImages(features.slice(undefined, [0, 40]), { columns: 10 })

      errors[name] = []
      await fit(model, data, {
        loss: softmaxCrossEntropy,
        optimizer: new SGD(model.parameters(), { lr: 0.1 }),
        epochs,
        seed: 0,
        signal,
        onEpoch: async ({ epoch }) => {
          const { accuracy = 0 } = await evaluate(model, test, { loss: softmaxCrossEntropy })
          errors[name].push(100 * (1 - accuracy))
          progress(Object.keys(errors).length - 1 + epoch / epochs, total, name)
        },
      })
      // lecture:end
      model.dispose()
    }
    const last = Object.values(errors).map((values) => values[values.length - 1])
    const [random, autoencoder, rbm] = last
    const first = Object.values(errors).map(([value]) => value)
    const text = (values: number[]) => values.map((value) => `${value.toFixed(2)} %`).join(', ')
    return {
      claims: [
        {
          claim: `Test error after the same ${epochs} supervised epochs: random, autoencoders, Boltzmann machines`,
          measured: text(last),
          ok: autoencoder < random / 2 && rbm < random / 2,
        },
        {
          claim: `Pre-trained networks are better after one epoch than the other after ${epochs}`,
          measured: `${text(first.slice(1))} against ${text([random])}`,
          ok: first[1] < random && first[2] < random,
        },
      ],
      figures: [
        {
          name: 'errors',
          caption: 'Test error during the supervised epochs.',
          svg: await lines(errors, { x: 'supervised epoch', y: 'test error (%)' }),
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
