/** Rows of the kernel table: random numbers. */

export const random = {
  // state: Philox key (2 words) and counter (2 words), advanced by what was drawn; see random.ts.
  uniform: ['y:out:F', 'state:inout:int32', 'n:size', 'low:float', 'high:float'],
  normal: ['y:out:F', 'state:inout:int32', 'n:size', 'mean:float', 'std:float'],
  // 1 with probability p, else 0
  bernoulli: ['y:out:F', 'state:inout:int32', 'n:size', 'p:float'],
  // The same with a probability for each element; NaN where that is NaN.
  bernoulliEach: ['p:in:F', 'y:out:F', 'state:inout:int32', 'n:size'],
  // Integers from low to below high, within those of int32.
  randint: ['y:out:int32', 'state:inout:int32', 'n:size', 'low:float', 'high:float'],
  // count columns of each row of weights [rows, cols], with the probabilities that they are in; no
  // column twice where replacement is 0.
  multinomial: [
    'weights:in:F',
    'y:out:int32',
    'state:inout:int32',
    'scratch:scratch:float64',
    'rows:size',
    'cols:size',
    'count:size',
    'replacement:size',
  ],
  permutation: ['y:out:int32', 'state:inout:int32', 'n:size'],
} as const
