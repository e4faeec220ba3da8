/** Mistakes with the options and targets of losses: each is an error that says what to do. */
import {
  ArgumentError,
  binaryCrossEntropyWithLogitsLoss,
  cosineEmbedding,
  cosineEmbeddingLoss,
  cosineSimilarity,
  hinge,
  KernelError,
  klDivergence,
  klDivergenceLoss,
  nll,
  nllLoss,
  poissonNllLoss,
  ShapeError,
  sigmoidFocalLoss,
  smoothL1Loss,
  softmaxCrossEntropy,
  softmaxCrossEntropyLoss,
  softmaxFocal,
  softmaxFocalLoss,
  type Tensor,
  tensor,
  tripletMargin,
  tripletMarginLoss,
  zeros,
} from '../../lib/index.js'
import { type Mistake, mistakes } from '../support/mistakes.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

const logits = zeros([4, 3])
const labels = tensor([0, 1, 2, 0], [4], 'int32')

const options: [name: string, make: (given: any) => unknown, given: unknown, message: RegExp][] = [
  [
    'an unknown option',
    softmaxCrossEntropyLoss,
    { smoothing: 1 },
    /^softmaxCrossEntropy: .* smoothing/,
  ],
  [
    'in snake case',
    softmaxCrossEntropyLoss,
    { class_weights: [1] },
    /did you mean classWeights\?$/,
  ],
  [
    'negative weights',
    softmaxCrossEntropyLoss,
    { classWeights: [1, -1] },
    /numbers >= 0, got -1 at 1$/,
  ],
  ['NaN', nllLoss, { classWeights: [Number.NaN] }, /^nll: .* classWeights .* got NaN at 0$/],
  ['beyond float32', nllLoss, { classWeights: [1, 1e39] }, /numbers >= 0, got 1e\+39 at 1$/],
  ['no weights', nllLoss, { classWeights: [] }, /got \[\]$/],
  ['weights by name', nllLoss, { classWeights: { cat: 1 } }, /numbers >= 0, got \{ cat: 1 \}$/],
  ['weights as a tensor', nllLoss, { classWeights: zeros([3]) }, /classWeights to be numbers >= 0/],
  [
    'smoothing below 0',
    softmaxCrossEntropyLoss,
    { labelSmoothing: -0.1 },
    /from 0 to 1, got -0\.1$/,
  ],
  ['smoothing above 1', softmaxCrossEntropyLoss, { labelSmoothing: 1.1 }, /from 0 to 1, got 1\.1$/],
  ['smoothing as text', softmaxCrossEntropyLoss, { labelSmoothing: '0' }, /from 0 to 1, got '0'$/],
  ['a part of a label', softmaxCrossEntropyLoss, { ignoreIndex: 0.5 }, /an int32, got 0\.5$/],
  ['a label as a bigint', softmaxCrossEntropyLoss, { ignoreIndex: 1n }, /an int32, got 1n$/],
  [
    'posWeight below 0',
    binaryCrossEntropyWithLogitsLoss,
    { posWeight: -2 },
    /posWeight .* got -2 at 0$/,
  ],
  ['posWeight of none', binaryCrossEntropyWithLogitsLoss, { posWeight: null }, /got null$/],
  [
    'a negative gamma',
    sigmoidFocalLoss,
    { gamma: -1 },
    /^sigmoidFocal: expected gamma >= 0, got -1$/,
  ],
  ['alpha above 1', sigmoidFocalLoss, { alpha: 2 }, /alpha from 0 to 1, got 2$/],
  ['alphas below 0', softmaxFocalLoss, { alpha: [1, -2] }, /alpha .* got -2 at 1$/],
  ['no beta', smoothL1Loss, 0, /^smoothL1: expected beta > 0, got 0; mae is/],
  ['a flag as a number', poissonNllLoss, { full: 1 }, /full to be true or false, got 1$/],
  ['a negative epsilon', poissonNllLoss, { epsilon: -1 }, /epsilon >= 0, got -1$/],
  ['logTarget as text', klDivergenceLoss, { logTarget: 'yes' }, /true or false, got 'yes'$/],
  ['a bare flag', klDivergenceLoss, true, /one object of options \(logTarget\), got true$/],
  ['a margin above 1', cosineEmbeddingLoss, { margin: 2 }, /margin from -1 to 1, got 2$/],
  [
    'a margin of 0',
    tripletMarginLoss,
    { margin: 0 },
    /^tripletMargin: expected margin > 0, got 0$/,
  ],
]

const calls: Mistake[] = [
  [
    'too few weights',
    () => softmaxCrossEntropyLoss({ classWeights: [1, 2] })(logits, labels),
    ShapeError,
    /^softmaxCrossEntropy: expected classWeights of 3 numbers for \[4, 3\], got 2$/,
  ],
  [
    'too many weights beside probabilities',
    () => softmaxCrossEntropyLoss({ classWeights: [1, 2, 3, 4] })(logits, logits),
    ShapeError,
    /classWeights of 3 numbers/,
  ],
  [
    'weights of two classes for one output',
    () => binaryCrossEntropyWithLogitsLoss({ posWeight: [1, 2] })(zeros([4, 1]), zeros([4, 1])),
    ShapeError,
    /expected posWeight of 1 numbers for \[4, 1\], got 2$/,
  ],
  [
    'ignored probabilities',
    () => softmaxCrossEntropyLoss({ ignoreIndex: -1 })(logits, logits),
    ArgumentError,
    /^softmaxCrossEntropy: expected labels of int32 for ignoreIndex, got targets float32$/,
  ],
  [
    'labels of another shape',
    () => softmaxCrossEntropy(zeros([2, 2, 3]), labels),
    ShapeError,
    /outputs \[batch, …, classes\] and labels \[batch, …\], got \[2, 2, 3\] and \[4\]$/,
  ],
  ['probabilities', () => nll(logits, wrong(logits)), ArgumentError, /^nll: .* int32 tensor/],
  [
    'labels of a divergence',
    () => klDivergence(logits, wrong(labels)),
    ArgumentError,
    /^klDivergence: expected a float32 tensor, got int32/,
  ],
  [
    'shapes that broadcast',
    () => klDivergence(logits, zeros([1, 3])),
    ShapeError,
    /^klDivergence: .* got \[4, 3\] and \[1, 3\]$/,
  ],
  [
    'targets 0 and 1',
    () => cosineEmbedding(logits, logits, tensor([0, 1, 1, 0])),
    ArgumentError,
    /^cosineEmbedding: expected targets to be 1 or -1, got 0 at 0$/,
  ],
  [
    'a target for each feature',
    () => cosineEmbedding(logits, logits, logits),
    ShapeError,
    /expected targets \[4\], one for each pair, got \[4, 3\]$/,
  ],
  [
    'a triplet of two',
    () => tripletMargin(logits, logits, wrong(undefined)),
    ArgumentError,
    /^tripletMargin: expected a tensor, got undefined/,
  ],
  [
    'a triplet of other shapes',
    () => tripletMargin(logits, logits, zeros([4, 2])),
    ShapeError,
    /of one shape, got \[4, 3\], \[4, 3\], \[4, 2\]$/,
  ],
  [
    'options too many',
    () => wrong(tripletMargin)(logits, logits, logits, 'mean', 1),
    ArgumentError,
    /^tripletMargin: expected no further argument, got 1$/,
  ],
  [
    'vectors of other lengths',
    () => cosineSimilarity(zeros([2, 3]), zeros([2, 1])),
    ShapeError,
    /^cosineSimilarity: expected as many elements along axis -1, got \[2, 3\] and \[2, 1\]$/,
  ],
]

mistakes([
  ...options.map(
    ([name, make, given, message]): Mistake => [name, () => make(given), ArgumentError, message],
  ),
  ...calls,
])

onBothBackends('labels out of range, beside one that is ignored', (t) => {
  const losses: [(x: Tensor, labels: Tensor<'int32'>) => Tensor, RegExp][] = [
    [softmaxCrossEntropy, /^softmaxCrossEntropy: labels\[1\]: .* below 3, got/],
    [softmaxCrossEntropyLoss({ ignoreIndex: -1 }), /^softmaxCrossEntropy: labels\[1\]: /],
    [softmaxCrossEntropyLoss({ labelSmoothing: 0.1 }), /^softmaxCrossEntropy: labels: .*\[1\]: /],
    [softmaxCrossEntropyLoss({ classWeights: [1, 1, 1] }), /^softmaxCrossEntropy: labels\[1\]: /],
    [softmaxFocal, /labels\[1\]: .* below 3, got/],
    [nll, /^nll: labels: .*\[1\]: .* below 3, got/],
    [nllLoss({ ignoreIndex: -1 }), /^nll: labels: .*\[1\]: /],
    [hinge, /^hinge: .*labels\[1\]: /],
  ]
  for (const [loss, message] of losses) {
    for (const label of [3, -2, 2 ** 31 - 1]) {
      const given = tensor([0, label, 2, 0], [4], 'int32')
      refuses(t, () => loss(zeros([4, 3]), given), KernelError, message)
    }
  }
})
