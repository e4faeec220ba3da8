/** Mistakes with models, losses and optimizers: each is an error that says what to do. */
import {
  Adam,
  ArgumentError,
  Linear,
  mlp,
  mse,
  oneHot,
  Sequential,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  tensor,
  zeros,
} from '../../lib/index.js'
import { mistakes } from '../support/mistakes.js'
import { wrong } from '../support/reference.js'

const labels = tensor([0, 1, 1, 0], [4], 'int32')

mistakes([
  [
    'nested arrays',
    () => mlp([2, 2]).forward(wrong([[1, 2]])),
    ArgumentError,
    /^Linear: expected a tensor, got \[\[1, 2\]\]; tensor\(values\) makes/,
  ],
  [
    'typed arrays',
    () => mlp([2, 2]).forward(wrong(Float32Array.of(1, 2))),
    ArgumentError,
    /got Float32Array\(2\) \[1, 2\]; tensor\(values\) makes/,
  ],
  [
    'a promise',
    () => mlp([2, 2]).forward(wrong(Promise.resolve(1))),
    ArgumentError,
    /got Promise \{ 1/,
  ],
  [
    'one example',
    () => mlp([2, 2]).forward(tensor([1, 2])),
    ShapeError,
    /^layers\.0: Linear: expected inputs \[batch, 2\], got \[2\]; unsqueeze\(0\)/,
  ],
  [
    'images',
    () => mlp([4, 2]).forward(zeros([3, 2, 2])),
    ShapeError,
    /got \[3, 2, 2\]; flatten\(1\) makes rows/,
  ],
  [
    'bytes',
    () => mlp([2, 2]).forward(wrong(tensor(Uint8Array.of(1, 2), [1, 2]))),
    ArgumentError,
    /got uint8; cast\('float32'\) converts it, and cast\('float32'\)\.div\(255\)/,
  ],
  [
    'one-hot of floats',
    () => oneHot(wrong(tensor([1, 0])), 2),
    ArgumentError,
    /expected an int32 tensor, got float32/,
  ],
  [
    'labels as floats',
    () => softmaxCrossEntropy(zeros([4, 2]), tensor([0, 1, 1, 0])),
    ShapeError,
    /dtype 'int32', as cast\('int32'\) makes/,
  ],
  [
    'one-hot as integers',
    () => softmaxCrossEntropy(zeros([1, 2]), tensor([[0, 1]], [1, 2], 'int32')),
    ShapeError,
    /one-hot rows are floats, as cast\('float32'\)/,
  ],
  [
    'targets first',
    () => mse(wrong(labels), zeros([4, 1])),
    ArgumentError,
    /outputs of floats and then targets, got outputs of int32$/,
  ],
  [
    'no parameters',
    () => new SGD([], { lr: 1 }),
    ArgumentError,
    /got none; modules find them in public properties$/,
  ],
  [
    'units one by one',
    () => mlp(wrong(2), wrong(4)),
    ArgumentError,
    /^mlp: expected an array of units, got 2$/,
  ],
  [
    'a list of layers',
    () => new Sequential(wrong([new Linear(2, 2)])),
    ArgumentError,
    /^Sequential: expected a module .* got \[Linear/,
  ],
  [
    'a class of layers',
    () => new Sequential(wrong(Linear)),
    ArgumentError,
    /got \[class Linear extends Module\]$/,
  ],
  [
    'labels as an array',
    () => softmaxCrossEntropy(zeros([4, 2]), wrong([0, 1, 1, 0])),
    ArgumentError,
    /^softmaxCrossEntropy: expected a tensor, got \[0, 1, 1, 0\]; tensor/,
  ],
  [
    'a learning rate as text',
    () => new SGD(mlp([2, 2]).parameters(), wrong({ lr: '0.1' })),
    ArgumentError,
    /^SGD: expected lr >= 0, got '0\.1'$/,
  ],
  [
    'no learning rate',
    () => new Adam(mlp([2, 2]).parameters(), wrong({})),
    ArgumentError,
    /^Adam: expected lr >= 0, got undefined$/,
  ],
  [
    'a bare learning rate',
    () => new SGD(mlp([2, 2]).parameters(), wrong(0.1)),
    ArgumentError,
    /one object of options \(lr, .* got 0\.1$/,
  ],
  [
    'momentum as text',
    () => new SGD(mlp([2, 2]).parameters(), wrong({ lr: 1, momentum: '0.9' })),
    ArgumentError,
    /expected momentum .* got '0\.9'$/,
  ],
])
