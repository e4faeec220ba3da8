// Which test files belong to which tier; `npm test` runs them all.

/** For every save, in under 20 seconds on two cores: what most changes would break first. */
export const fast = [
  'test/traps.test.ts',
  'test/tensor/create.test.ts',
  'test/tensor/tensor.test.ts',
  'test/tensor/scope.test.ts',
  'test/ops/ops.test.ts',
  'test/autograd/autograd.test.ts',
  'test/autograd/torch.test.ts',
  'test/backend/kernelRefusals.test.ts',
  'test/capture/capture.test.ts',
  'test/capture/captureErrors.test.ts',
  'test/capture/plan.test.ts',
  'test/nn/losses.test.ts',
  'test/optim/groups.test.ts',
  'test/training/fit.test.ts',
]

/** What depends on how products are rounded: for `npm run test:cores`. Folders stand for their files. */
export const numerical = [
  'test/smoke.test.ts',
  'test/traps.test.ts',
  'test/autograd',
  'test/backend',
  'test/blas',
  'test/capture',
  'test/frontends',
  'test/monitor',
  'test/nn',
  'test/ops',
  'test/optim',
  'test/tensor/memory.test.ts',
  'test/training',
  'test/unsupervised',
  'test/data/distortion.test.ts',
  'test/apps/lecture.test.ts',
]
