/** Mistakes with training, files and predictions: each is an error that says what to do. */
import t from 'tap'
import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  capture,
  dataset,
  evaluate,
  type FitOptions,
  fit,
  Linear,
  loadModel,
  Module,
  mlp,
  mse,
  predict,
  Sequential,
  SGD,
  ShapeError,
  saveModel,
  softmaxCrossEntropy,
  type Tensor,
} from '../../lib/index.js'
import { rejects } from '../support/engine.js'
import { mistakes } from '../support/mistakes.js'
import { wrong } from '../support/reference.js'

const rows = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]
const xor = dataset({ name: 'xor', inputs: rows, targets: [0, 1, 1, 0] })
const train = (options: object = {}, model: Module = mlp([2, 4, 2]), data: unknown = xor) => {
  const optimizer = new SGD(mlp([1, 1]).parameters(), { lr: 0.1 })
  const usual = { loss: softmaxCrossEntropy, optimizer, epochs: 1 }
  const ofModel = model instanceof Module && { optimizer: new SGD(model.parameters(), { lr: 0.1 }) }
  return fit(model, wrong(data), { ...usual, ...ofModel, ...options } as FitOptions)
}
const labelled = (targets: unknown, more = {}) =>
  dataset({ inputs: rows, targets, ...more } as never)
class Silent extends Module {
  readonly layer = new Linear(2, 2)
  forward(x: Tensor): Tensor {
    return wrong(void this.layer.forward(x))
  }
}
class Unfinished extends Module {
  readonly layer = new Linear(2, 2)
  // In JavaScript nothing asks for it.
  declare forward: Module['forward']
}

mistakes([
  [
    'no forward',
    () => train({}, new Unfinished()),
    ArgumentError,
    /a model with a method forward, got Unfinished without$/,
  ],
  [
    'nothing forward',
    () => train({}, new Silent()),
    ArgumentError,
    /model\.forward to return a tensor, got undefined$/,
  ],
  [
    'batchSize 0',
    () => train({ batchSize: 0 }),
    ArgumentError,
    /^fit: expected batchSize >= 1, got 0$/,
  ],
  [
    'a number as loss',
    () => train({ loss: () => 3 }),
    ArgumentError,
    /a loss that returns a tensor, got 3$/,
  ],
  [
    'no loss returned',
    () => train({ loss: () => undefined }),
    ArgumentError,
    /returns a tensor, got undefined$/,
  ],
  [
    'a loss per example',
    () => train({ loss: (y: Tensor) => y.mean(1) }),
    ShapeError,
    /^fit: expected a loss that gives a scalar, .* got shape \[4\]$/,
  ],
  [
    'other width',
    () => train({}, mlp([3, 4, 2])),
    ShapeError,
    /^fit: layers\.0: Linear: expected inputs \[batch, 3\], got \[4, 2\]; examples of the data set 'xor' have shape \[2\]$/,
  ],
  [
    'layers that do not fit',
    () => train({}, new Sequential(new Linear(2, 3), new Sequential(new Linear(4, 2)))),
    ShapeError,
    /^fit: layers\.1\.layers\.0: Linear: expected inputs \[batch, 4\], got \[4, 3\]; /,
  ],
  [
    'other width to evaluate',
    () => evaluate(mlp([3, 2]), xor, { loss: softmaxCrossEntropy }),
    ShapeError,
    /^evaluate: layers\.0: .* 'xor'/,
  ],
  [
    'other width to validate',
    () => train({ validation: dataset({ inputs: [[1, 2, 3]], targets: [0] }) }),
    ShapeError,
    /^fit: expected validation examples of inputs \[2\] and labels, got inputs \[3\] and labels$/,
  ],
  [
    'values to validate',
    () => train({ validation: dataset({ inputs: [[1, 2]], targets: [[1]] }) }),
    ShapeError,
    /and labels, got inputs \[2\] and targets \[1\]$/,
  ],
  [
    'more classes to validate',
    () => train({ validation: dataset({ name: 'seven', inputs: [[1, 2]], targets: [7] }) }),
    ArgumentError,
    /labels in 0\.\.1 for 2 outputs, got 7 at row 0 of 'seven'/,
  ],
  [
    'no path',
    () => saveModel(mlp([2, 2]), wrong(undefined)),
    ArgumentError,
    /^saveModel: expected a model and the path of a file, got Sequential .* and undefined$/,
  ],
  [
    'path and model swapped',
    () => loadModel(wrong('file'), wrong(mlp([2, 2]))),
    ArgumentError,
    /^loadModel: expected a model and the path of a file, got 'file' and Seq/,
  ],
  [
    'a number to a captured function',
    () => capture((x: Tensor) => x.mul(2))(wrong(3)),
    ArgumentError,
    /^capture: expected a tensor, got 3; tensor/,
  ],
  [
    'model and data swapped',
    () => train({}, wrong(xor), mlp([2, 2])),
    ArgumentError,
    /^fit: expected a module such as mlp\(.* got \{ name: 'xor'/,
  ],
  [
    'a class',
    () => train({}, wrong(Linear)),
    ArgumentError,
    /^fit: expected a module .* got \[class Linear extends Module\]$/,
  ],
  [
    'arrays as data',
    () => train({}, mlp([2, 2]), rows),
    ArgumentError,
    /^fit: expected a data set, as dataset\(\) makes it, got \[\[0, 0\], /,
  ],
  [
    'epochs as text',
    () => train({ epochs: '3' }),
    ArgumentError,
    /^fit: expected epochs >= 0, got '3'$/,
  ],
  [
    'a class of optimizers',
    () => train({ optimizer: SGD }),
    ArgumentError,
    /such as new SGD\(.* got \[class SGD extends Optimizer\]$/,
  ],
  [
    'patience alone',
    () => train({ earlyStopping: 5, validation: 0.5 }),
    ArgumentError,
    /earlyStopping: expected one object of options \(patience\), got 5$/,
  ],
  [
    'arrays to validate',
    () => train({ validation: rows }),
    ArgumentError,
    /^fit: validation: expected a data set/,
  ],
  [
    'an asynchronous loss',
    () => train({ loss: async (y: Tensor) => y.mean() }),
    ArgumentError,
    /a loss that returns a tensor, got Promise/,
  ],
  [
    'data and model swapped',
    () => evaluate(wrong(xor), wrong(mlp([2, 2])), { loss: mse }),
    ArgumentError,
    /^evaluate: expected a module/,
  ],
  [
    'arrays to evaluate',
    () => evaluate(mlp([2, 2]), wrong(rows), { loss: mse }),
    ArgumentError,
    /^evaluate: expected a data set/,
  ],
  [
    'a model to predict by',
    () => predict(wrong(new SGD(mlp([2, 2]).parameters(), { lr: 1 })), rows),
    ArgumentError,
    /a classifier, as loadClassifier\(\) gives it, a regressor or a module, got SGD/,
  ],
])

t.test('targets that are whole numbers', async (t) => {
  const inputs = rows
  const two = { loss: mse }
  for (const data of [labelled([200, 1, 2, 3]), labelled([3, 200, 2, 3])]) {
    const message =
      /^fit: expected labels in 0\.\.1 for 2 outputs, got \d+ at row \d .*; classes need an output each, values to predict are given as dataset\(\{ …, task: 'regress' \}\)$/
    await rejects(t, train(two, mlp([2, 2]), data), ArgumentError, message)
    await rejects(
      t,
      evaluate(mlp([2, 2]), data, two),
      ArgumentError,
      /^evaluate: expected labels in 0\.\.1/,
    )
    const binary = train({ loss: binaryCrossEntropyWithLogits }, mlp([2, 1]), data)
    await rejects(t, binary, ArgumentError, /labels in 0\.\.1 for 1 output, got \d+ at row 0 /)
  }
  // Names of ten classes, of which the examples have two.
  const classes = Array.from('abcdefghij')
  const some = dataset({ inputs, targets: [0, 1, 1, 0], classes })
  t.equal((await train({}, mlp([2, 2]), some)).ended, 'epochs')
})
