/** Rows of the kernel table: softmax, and cross entropy on it. */

const rows = ['x:in:F', 'y:out:F', 'rows:size', 'cols:size'] as const

const rowsGrad = ['y:in:F', 'dy:in:F', 'dx:out:F', 'rows:size', 'cols:size'] as const

export const softmax = {
  softmax: rows,
  logSoftmax: rows,
  softmaxGrad: rowsGrad,
  logSoftmaxGrad: rowsGrad,
  // losses[r] = log Σ e^logits[r] - logits[r, labels[r]]
  softmaxCrossEntropy: ['logits:in:F', 'labels:in:int32', 'losses:out:F', 'rows:size', 'cols:size'],
  // dlogits[r] = dlosses[r]·(softmax(logits[r]) - onehot(labels[r]))
  softmaxCrossEntropyGrad: [
    'logits:in:F',
    'labels:in:int32',
    'dlosses:in:F',
    'dlogits:out:F',
    'rows:size',
    'cols:size',
  ],
} as const
