/** Networks of `convnet`: their layers, what they are built from, and files of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  ArgumentError,
  convnet,
  DataError,
  Generator,
  type ImageShape,
  loadClassifier,
  loadMlp,
  mlp,
  predict,
  ShapeError,
  saveClassifier,
  saveMlp,
  saveModel,
} from '../../lib/index.js'
import { onBothBackends, refuses } from '../support/reference.js'

const IMAGE: ImageShape = [9, 6, 2]
const PIXELS = 9 * 6 * 2

const small = () => convnet(IMAGE, [3, 5], [7, 4], { dropout: 0.5, generator: new Generator(1) })
const architecture = {
  units: [PIXELS, 7, 4],
  activation: 'relu' as const,
  dropout: 0.5,
  convolutions: { image: IMAGE, filters: [3, 5] },
}

t.test('layers and weights', async (t) => {
  const model = small()
  t.same(
    model.layers.map((layer) => layer.constructor.name),
    [
      'Reshape',
      ...['Conv2d', 'BatchNorm2d', 'ReLU', 'MaxPool2d'],
      ...['Conv2d', 'BatchNorm2d', 'ReLU', 'MaxPool2d'],
      ...['Flatten', 'Linear', 'ReLU', 'Dropout', 'Linear'],
    ],
  )
  const weights = model.parameters().filter(({ shape }) => shape.length > 1)
  // Halved twice, 9 x 6 pixels are 2 x 1.
  t.same(
    weights.map(({ shape }) => shape),
    [
      [3, 3, 2, 3],
      [3, 3, 3, 5],
      [10, 7],
      [7, 4],
    ],
  )
})

t.test('means of the channels', async (t) => {
  const options = { pooling: 'avg', generator: new Generator(1) } as const
  const model = convnet(IMAGE, [3, 5], [4], options)
  t.strictSame(
    model.layers.slice(-2).map((layer) => layer.constructor.name),
    ['GlobalAvgPool2d', 'Linear'],
  )
  t.strictSame(model.parameters().at(-2)?.shape, [5, 4])
  const path = join(t.testdir(), 'pooled.safetensors')
  const convolutions = { image: IMAGE, filters: [3, 5], pooling: 'avg' } as const
  const pooled = { units: [PIXELS, 4], activation: 'relu', convolutions } as const
  saveMlp(model, path, pooled)
  const images = new Generator(2).normal([3, ...IMAGE])
  model.eval()
  t.strictSame(loadMlp(path).model.forward(images).data(), model.forward(images).data())
  refuses(
    t,
    () => saveMlp(model, path, { ...pooled, convolutions: { image: IMAGE, filters: [3, 5] } }),
    ArgumentError,
    /architecture/,
  )
  refuses(
    t,
    () => convnet(IMAGE, [3], [4], { pooling: 'max' as 'avg' }),
    ArgumentError,
    /pooling avg or none, got/,
  )
})

onBothBackends('images and rows of their pixels are the same', (t) => {
  const model = small()
  model.eval()
  const images = new Generator(2).normal([3, ...IMAGE])
  const found = model.forward(images)
  t.same(found.shape, [3, 4])
  t.same(model.forward(images.reshape([3, PIXELS])).data(), found.data())
})

t.test('what cannot be built', async (t) => {
  const wrong = (
    build: () => unknown,
    kind: typeof ShapeError | typeof ArgumentError,
    says: RegExp,
  ) => refuses(t, build, kind, says)
  wrong(
    () => convnet([28, 28] as never, [8], [10]),
    ShapeError,
    /an image \[height, width, channels\]/,
  )
  wrong(() => convnet([28, 28, 0], [8], [10]), ShapeError, /got \[28, 28, 0\]/)
  wrong(() => convnet(IMAGE, [], [10]), ShapeError, /filters of one stage or more/)
  wrong(() => convnet(IMAGE, [8, 0.5], [10]), ShapeError, /each from 1/)
  wrong(() => convnet(IMAGE, [8, 8, 8], [10]), ShapeError, /at most 2 stages/)
  wrong(() => convnet(IMAGE, [8], []), ArgumentError, /units of one layer or more/)
  wrong(
    () => convnet(IMAGE, [8], [10], { activation: 'swish' as 'relu' }),
    ArgumentError,
    /an activation of relu, sigmoid, tanh, got swish/,
  )
  wrong(() => convnet(IMAGE, [8], [10], { bias: false } as object), ArgumentError, /bias/)
})

t.test('files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'model.safetensors')
  const model = small()
  const images = new Generator(2).normal([5, PIXELS])
  // So that the running moments are no longer those of a new layer.
  model.forward(images)
  model.eval()
  const notes = {
    dataset: 'noise',
    seed: 1,
    classes: ['a', 'b', 'c', 'd'],
    preprocessing: { mean: [0], scale: [1] },
    loss: 'cross-entropy' as const,
    testAccuracy: 0.5,
  }
  saveClassifier(model, path, architecture, notes)
  const loaded = loadMlp(path)
  t.same(loaded.architecture, architecture)
  t.same(loaded.model.forward(images).data(), model.forward(images).data())
  t.same(predict(loadClassifier(path), images).names.length, 5)

  for (const [name, other] of Object.entries({
    'other filters': { ...architecture, convolutions: { image: IMAGE, filters: [3, 4] } },
    'other units': { ...architecture, units: [PIXELS, 8, 4] },
    'another dropout': { ...architecture, dropout: 0.25 },
  })) {
    t.comment(name)
    refuses(t, () => saveMlp(model, path, other), ArgumentError, /a model as convnet makes it/)
  }
  const fewer = { ...architecture, units: [PIXELS - 1, 7, 4] }
  refuses(t, () => saveMlp(model, path, fewer), ArgumentError, /begin with 108 pixels/)
  refuses(t, () => saveMlp(mlp([PIXELS, 7, 4]), path, architecture), ArgumentError, /convnet/)
  t.same(loadMlp(path).architecture, architecture, 'and the file is as it was')

  const damaged = join(folder, 'damaged.safetensors')
  for (const convolutions of [{ image: [9, 6] }, { image: IMAGE }, 'many']) {
    saveModel(model, damaged, { architecture: JSON.stringify({ ...architecture, convolutions }) })
    refuses(t, () => loadMlp(damaged), DataError, /damaged\.safetensors: expected an architecture/)
  }
})
