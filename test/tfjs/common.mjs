// What the calls of several files have in common.

export const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu']

export const hasNone = (shape) => shape.includes(0)

/** Sums of squares, so that every element of dy is another. */
export const gradientOf = (tf, f, inputs, which) =>
  tf.grads((...x) => tf.sum(tf.square(f(...x))))(inputs)[which]
