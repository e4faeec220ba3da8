/** Item 16: the real MNIST, 60,000 images to learn from and 10,000 to test on. */
import {
  type Dataset,
  fit,
  mlp,
  mnist,
  noGrad,
  predictedClasses,
  SGD,
  schedules,
  setSeed,
  softmaxCrossEntropy,
  tensor,
} from 'neuroblas'
import { confusionMatrix, images, learningCurves } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, percent } from './numbers.js'

/** The images that the network is most certain about and wrong, worst first. */
function worstOf(probabilities: Float32Array, { targets, size }: Dataset, count: number) {
  const classes = probabilities.length / size
  const ofTarget = Array.from(targets, (label, i) => probabilities[i * classes + label])
  return [...ofTarget.keys()].sort((a, b) => ofTarget[a] - ofTarget[b]).slice(0, count)
}

const pixels = ({ inputs }: Dataset, i: number) => inputs.subarray(784 * i, 784 * (i + 1))

export const digitsOfMnist: Experiment = {
  name: 'mnist',
  items: [16],
  needsMnist: true,
  title: 'MNIST',
  formula: String.raw`h = \max(0, b^{(1)} + W^{(1)}x), \qquad y = \mathrm{softmax}(b^{(2)} + W^{(2)}h)`,
  text: `A network with one hidden layer of relu units learns 55,000 of the 60,000 training images; 5,000
are set aside and say how it is getting on. The 10,000 test images are looked at once, at the end.`,

  async run({ quick, signal, progress, seed }: Context): Promise<Outcome> {
    setSeed(1 + seed)
    const units = quick ? 100 : 800
    const epochs = quick ? 5 : 15
    const limit = quick ? 0.03 : 0.018
    // lecture:begin
    // lecture:as const units = 800
    // lecture:as const epochs = 15
    const { train, test } = mnist() // of 60,000 and 10,000 images
    const model = mlp([784, units, 10])
    const lr = schedules.cosine(0.1, epochs * Math.ceil(55_000 / 64))
    const history = await fit(model, train, {
      loss: softmaxCrossEntropy,
      optimizer: new SGD(model.parameters(), { lr, momentum: 0.9 }),
      epochs,
      batchSize: 64,
      validation: 1 / 12,
      onEpoch: ({ epoch }) => progress(epoch, epochs), // lecture:hide
      signal, // lecture:hide
    })
    const inputs = tensor(
      Float32Array.from(test.inputs, (byte) => byte / 255),
      [test.size, 784],
    )
    const logits = noGrad(() => model.forward(inputs))
    const predicted = predictedClasses(logits).data()
    // lecture:end
    const probabilities = logits.softmax().data()
    const wrong = predicted.filter((label, i) => label !== test.targets[i]).length
    const last = history.epochs[history.epochs.length - 1]
    const worst = worstOf(probabilities, test, 24)
    const areWrong = worst.every((i) => predicted[i] !== test.targets[i])
    return {
      claims: [
        {
          claim: `784-${units}-10: test error at most ${percent(limit)}`,
          measured: `${percent(wrong / test.size, 2)} (${format(wrong)} of ${format(test.size)})`,
          ok: wrong / test.size <= limit,
        },
        {
          claim:
            'The risk falls from the first epoch to the last, on training and validation images',
          measured: `${format(history.epochs[0].loss)} to ${format(last.loss)}, ${format(history.epochs[0].validationLoss!)} to ${format(last.validationLoss!)}`,
          ok:
            last.loss < history.epochs[0].loss &&
            last.validationLoss! < history.epochs[0].validationLoss!,
        },
      ],
      figures: [
        {
          name: 'learning',
          caption: 'Risk on training and validation images.',
          svg: await learningCurves(history),
        },
        {
          name: 'confusion',
          caption: 'What the 10,000 test images were taken for.',
          svg: await confusionMatrix(test.targets, predicted, { classes: test.classes }),
        },
        {
          name: 'worst',
          caption: `The ${worst.length} worst errors${areWrong ? '' : ' and near misses'}: what each is → what it was taken for.`,
          svg: await images(
            worst.map((i) => pixels(test, i)),
            { columns: 8, captions: worst.map((i) => `${test.targets[i]} → ${predicted[i]}`) },
          ),
        },
      ],
    }
  },
}
