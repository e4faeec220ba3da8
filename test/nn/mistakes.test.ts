/** Mistakes with models, losses and optimizers: each is an error that says what to do. */
import {
  ArgumentError,
  mlp,
  mse,
  oneHot,
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
])
