/** Model files: what is written is read again to the bit, and what does not fit changes nothing. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  ArgumentError,
  DataError,
  Linear,
  loadMlp,
  loadModel,
  Module,
  mlp,
  Parameter,
  ReLU,
  Sequential,
  Sigmoid,
  saveMlp,
  saveModel,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { decodeSafetensors } from '../../lib/io/safetensors.js'
import { bits, identical, network, sameParameters } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const fileIn = (t: Test) => `${t.testdir()}/model.safetensors`

onBothBackends('a model and the text beside it', (t) => {
  const file = fileIn(t)
  const [model, other] = [1, 2].map((seed) => network([5, 4, 3], seed))
  model.parameters()[0].assign([Number.NaN, -0, Infinity, 2 ** -149, ...new Array(16).fill(0.1)])
  const metadata = { note: 'ä "quoted" text\n', empty: '' }
  saveModel(model, file, metadata)
  t.strictSame(loadModel(other, file), metadata)
  sameParameters(t, other, model, 'the same bits')
  const { tensors } = decodeSafetensors(readFileSync(file), file)
  t.strictSame([...tensors.keys()].sort(), [...model.namedParameters().keys()].sort())
  t.strictSame(tensors.get('layers.0.weight')!.shape, [5, 4], '[fanIn, fanOut]')
  saveModel(model, file)
  t.strictSame(loadModel(other, file), {}, 'the old content is gone')
})

onBothBackends('a file of another model changes nothing', (t) => {
  const file = fileIn(t)
  saveModel(network([5, 4, 3]), file)
  const others: [Module, RegExp][] = [
    [network([5, 6, 3]), /expected layers\.0\.weight of shape \[5, 6\], got \[5, 4\]$/],
    [network([5, 3]), /unknown: layers/],
    [network([5, 4, 4, 3]), /missing: layers\.4\.weight, layers\.4\.bias/],
  ]
  for (const [model, message] of others) {
    const before = model.stateDict()
    refuses(t, () => loadModel(model, file), DataError, message)
    t.strictSame(model.stateDict(), before)
  }
})

t.test('what is no model file', async (t) => {
  const dir = t.testdir({ folder: {}, text: 'no model' })
  const model = network([5, 3])
  const refused: [string, RegExp][] = [
    ['nothing', /nothing: expected a model file, found nothing$/],
    ['folder', /folder: expected a model file, found no file$/],
    ['text', /text: expected/],
  ]
  for (const [name, message] of refused) {
    refuses(t, () => loadModel(model, `${dir}/${name}`), DataError, message)
    refuses(t, () => loadMlp(`${dir}/${name}`), DataError, message)
  }
})

onBothBackends('a perceptron is built again as it was', (t) => {
  const file = fileIn(t)
  for (const activation of ['relu', 'sigmoid', 'tanh'] as const) {
    const architecture = { units: [5, 4, 3], activation, dropout: 0.5, inputDropout: 0.1 }
    const { units, ...options } = architecture
    const model = mlp(units, options)
    saveMlp(model, file, architecture, { note: activation })
    const loaded = loadMlp(file)
    t.strictSame(loaded.architecture, architecture)
    t.equal(loaded.metadata.note, activation)
    t.equal(loaded.model.training, false, 'ready to be asked')
    sameParameters(t, loaded.model, model, activation)
    const x = tensor([[0.1, -0.2, 0.3, -0.4, 0.5]])
    model.eval()
    identical(t, bits(loaded.model.forward(x)), bits(model.forward(x)), 'outputs')
  }
})

t.test('an architecture that is not the model’s is not written', async (t) => {
  const file = fileIn(t)
  const units = [5, 4, 3]
  const refused: [Module, object, RegExp][] = [
    [
      mlp(units),
      { units: [5, 3], activation: 'relu' },
      /units \[5, 4, 3\], got \[5, 3\] and relu$/,
    ],
    [mlp(units), { units, activation: 'tanh' }, /\[5, 4, 3\] and relu, got \[5, 4, 3\] and tanh$/],
    [new Sequential(new ReLU()), { units, activation: 'relu' }, /units \[\], got \[5, 4, 3\]/],
    [
      new Sequential(new Linear(5, 4), new Sigmoid(), new Linear(4, 3)),
      { units, activation: 'relu' },
      /and sigmoid, got/,
    ],
  ]
  for (const [model, architecture, message] of refused) {
    refuses(t, () => saveMlp(model, file, wrong(architecture)), ArgumentError, message)
  }
  t.notOk(existsSync(file))
})

t.test('a file that does not say what it holds is no perceptron', async (t) => {
  const file = fileIn(t)
  const model = mlp([5, 3])
  saveModel(model, file)
  refuses(t, () => loadMlp(file), DataError, /found no architecture in it$/)
  for (const architecture of ['nonsense', '{}', '{"units":5,"activation":"relu"}']) {
    saveModel(model, file, { architecture })
    refuses(t, () => loadMlp(file), DataError, /expected an architecture, found /)
  }
  const other = JSON.stringify({ units: [5, 4, 3], activation: 'relu' })
  saveModel(model, file, { architecture: other })
  refuses(t, () => loadMlp(file), DataError, /expected this model's parameters/)
  writeFileSync(file, readFileSync(file).subarray(0, 20))
  refuses(t, () => loadMlp(file), DataError, /expected/)
})

t.test('what the format cannot hold is not written', async (t) => {
  const file = fileIn(t)
  const architecture = { units: [5, 3], activation: 'relu' } as const
  const refused: [unknown, RegExp][] = [
    [{ accuracy: 0.98 }, /^metadata: expected text .*, got "accuracy": 0\.98; JSON\.stringify/],
    [{ classes: ['a', 'b'] }, /got "classes": \['a', 'b'\]/],
    [{ note: undefined }, /got "note": undefined/],
    [{ note: '\ud800' }, /got "note": /],
    [{ '\ud800': 'note' }, /got "\\ud800": 'note'/],
  ]
  for (const [metadata, message] of refused) {
    const save = () => saveMlp(mlp([5, 3]), file, architecture, wrong(metadata))
    refuses(t, save, ArgumentError, message)
  }
  const doubles = new (class extends Module {
    readonly weight = new Parameter(wrong(tensor([1], [1], 'float64')))
    forward(x: Tensor): Tensor {
      return x
    }
  })()
  const message = /expected values of float32, .* in "weight", got float64/
  refuses(t, () => saveModel(doubles, file), ArgumentError, message)
  t.notOk(existsSync(file))
})
