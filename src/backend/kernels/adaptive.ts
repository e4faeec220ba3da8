/** Rows of the kernel table: steps of optimizers that scale the gradient of each weight, and averages. */

const STEP = ['w:inout:F', 'dw:in:F'] as const
const END = ['settings:in:F', 'n:size'] as const

export const adaptive = {
  // settings as for adam, without gradientStep and rootScale; see optim/adam.ts.
  amsgrad: [...STEP, 'mean:inout:F', 'square:inout:F', 'largest:inout:F', ...END],
  // settings: [lr, 1 - decay, inner epsilon, outer epsilon, momentum, weightDecay, l2, l1]; see
  // optim/rmsprop.ts.
  rmsprop: [...STEP, 'square:inout:F', ...END],
  rmspropMomentum: [...STEP, 'square:inout:F', 'velocity:inout:F', ...END],
  rmspropCentered: [...STEP, 'square:inout:F', 'mean:inout:F', ...END],
  rmspropCenteredMomentum: [...STEP, 'square:inout:F', 'velocity:inout:F', 'mean:inout:F', ...END],
  // settings: [lr, offset, epsilon, weightDecay, l2, l1]; see optim/adagrad.ts.
  adagrad: [...STEP, 'sum:inout:F', ...END],
  // settings: [lr, 1 - decay, epsilon, weightDecay, l2, l1]; see optim/adadelta.ts.
  adadelta: [...STEP, 'square:inout:F', 'stepSquare:inout:F', ...END],
  // settings: [lr, 1 - beta1, 1 - beta2, keep, l2, l1]; see optim/lion.ts.
  lion: [...STEP, 'mean:inout:F', ...END],
  // y + rate·(x - y)
  lerp: ['y:inout:F', 'x:in:F', 'rate:float', 'n:size'],
} as const
