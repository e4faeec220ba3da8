/** Item 15: what the units of a hidden layer have learned to look for. */
import {
  type Dataset,
  evaluate,
  fit,
  Linear,
  l2,
  type Module,
  mlp,
  mnist,
  noGrad,
  predictedClasses,
  SGD,
  schedules,
  scope,
  setSeed,
  softmaxCrossEntropy,
  tensor,
} from 'neuroblas'
import { histograms, weightImages } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, percents } from './numbers.js'

// lecture:begin
const UNITS = 100

async function train(model: Module, data: Dataset, epochs: number, signal?: AbortSignal) {
  const lr = schedules.cosine(0.1, epochs * Math.ceil(data.size / 64))
  const optimizer = new SGD(model.parameters(), { lr, momentum: 0.9, regularizer: l2(3e-5) })
  await fit(model, data, {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs,
    batchSize: 64,
    seed: 0,
    signal,
  })
}
// lecture:end

const accuracyOn = async (model: Module, data: Dataset) =>
  (await evaluate(model, data, { loss: softmaxCrossEntropy })).accuracy ?? 0

export const features: Experiment = {
  name: 'features',
  items: [15],
  needsMnist: true,
  title: 'Features that a hidden layer extracts',
  formula: String.raw`h = g(b^{(1)} + W^{(1)} x): \quad \text{unit } j \text{ looks for the image } W^{(1)}_j`,
  symbols: `W⁽¹⁾ⱼ: the weights of hidden unit j, one for each pixel`,
  text: `A network with 100 hidden sigmoid units learns MNIST. The weights of a hidden unit are drawn as
the image that excites it most. The representation is distributed: many units take part in each
image, and the network hardly notices when one of them falls silent.`,

  async run({ quick, signal, progress, seed }: Context): Promise<Outcome> {
    const { train: data, test } = mnist()
    const epochs = quick ? 5 : 20
    setSeed(1 + seed)
    const linear = new Linear(784, 10)
    await train(linear, data, epochs, signal)
    progress(1, 3)
    // lecture:begin
    // lecture:as const { train: data, test } = mnist()
    const model = mlp([784, UNITS, 10], { activation: 'sigmoid' })
    // lecture:as const epochs = 20
    await train(model, data, epochs, signal) // lecture:as await train(model, data, epochs)
    const [first, sigmoid, second] = model.layers
    const inputs = tensor(
      Float32Array.from(test.inputs, (byte) => byte / 255),
      [test.size, 784],
    )
    const h = noGrad(() => sigmoid.forward(first.forward(inputs))) // what the layer makes of images
    const [W1] = first.parameters() // column j: what unit j looks for
    const picture = await weightImages(W1.slice(undefined, [0, 60]), { columns: 12 })
    // lecture:end
    progress(2, 3)

    const accuracy = await accuracyOn(model, test)
    const labels = tensor(test.targets as Int32Array)
    const drops = Array.from({ length: UNITS }, (_, unit) =>
      scope(() => {
        const others = Array.from({ length: UNITS }, (_, i) => (i === unit ? 0 : 1))
        const logits = second.forward(h.mul(tensor(others)))
        return accuracy - predictedClasses(logits).equal(labels).mean().item()
      }),
    )
    const active = h.greater(0.5).sum(1).data()
    const meanActive = active.reduce((sum, count) => sum + count, 0) / active.length
    const mean = h.mean(0)
    const spread = h.sub(mean).square().mean(0).sqrt().data()
    const pixelsOnly = await accuracyOn(linear, test)
    return {
      claims: [
        {
          claim:
            'The features are worth it: test error from pixels (no hidden layer) and from features',
          measured: percents([1 - pixelsOnly, 1 - accuracy], 2),
          ok: 1 - accuracy < 0.6 * (1 - pixelsOnly),
        },
        {
          claim: 'Distributed: mean number of units above 1/2 for an image, of 100',
          measured: format(meanActive),
          ok: meanActive > 5 && meanActive < 95,
        },
        {
          claim:
            'Every unit tells images apart (least standard deviation of a unit over the test images)',
          measured: Math.min(...spread),
          ok: Math.min(...spread) > 0.05,
        },
        {
          claim:
            'None is indispensable: mean and largest loss of accuracy when one unit falls silent',
          measured: percents(
            [drops.reduce((sum, drop) => sum + drop, 0) / UNITS, Math.max(...drops)],
            2,
          ),
          ok: Math.max(...drops) < 0.1,
        },
      ],
      figures: [
        {
          name: 'weights',
          caption:
            'What 60 of the 100 hidden units look for: strokes and blobs in places of their own.',
          svg: picture,
        },
        {
          name: 'active',
          caption: 'How many of the 100 units are above 1/2, over the test images.',
          svg: await histograms(
            { images: active },
            { x: 'units above 1/2', y: 'images', bins: 40 },
          ),
        },
      ],
    }
  },
}
