/** Rows of the kernel table: the steps of optimizers. */

export const optim = {
  // settings: [lr, momentum, nesterov, share, weightDecay, l2, l1]; see optim/sgd.ts. A buffer, because
  // what may change from step to step must not be frozen into a recorded step.
  sgd: ['w:inout:F', 'dw:in:F', 'settings:in:F', 'n:size'],
  sgdMomentum: ['w:inout:F', 'dw:in:F', 'velocity:inout:F', 'settings:in:F', 'n:size'],
  // settings: [lr, meanStep, gradientStep, 1 - beta1, 1 - beta2, rootScale, epsilon, keep, weightDecay,
  // l2, l1]; see optim/adam.ts.
  adam: ['w:inout:F', 'dw:in:F', 'mean:inout:F', 'square:inout:F', 'settings:in:F', 'n:size'],
  // Columns of w [rows, cols] whose Euclidean norm is above limit[0] are scaled down to it.
  maxNorm: ['w:inout:F', 'limit:in:F', 'rows:size', 'cols:size'],
} as const
