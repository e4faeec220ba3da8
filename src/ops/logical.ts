/** Ops of truth values: elements of any dtype, of which all but 0 are true, NaN too. */
import type { KernelName } from '../backend/kernels.js'
import { allocate } from '../tensor/allocate.js'
import { resolveAxes } from '../tensor/shape.js'
import type { AnyTensor, Tensor } from '../tensor/tensor.js'
import { defineOp } from './define.js'
import { runBinary } from './elementwise.js'
import { fold } from './raw.js'
import { type AxesArgument, finish } from './reduce.js'
import { requireTensor } from './require.js'

type Truths = Tensor<'bool'>

/** Calls f with truth values of the tensors, and frees those that are copies. */
function withTruths<Y>(xs: readonly AnyTensor[], f: (...truths: Truths[]) => Y): Y {
  const truths = xs.map((x) => {
    if (x.dtype === 'bool') return x.view()
    const y = allocate(x, x.shape, 'bool')
    x.storage.backend.run('cast', x.handle, y.handle, x.size)
    return y
  })
  const y = f(...truths)
  for (const x of truths) x.dispose()
  return y
}

type Binary = Extract<KernelName, 'logicalAnd' | 'logicalOr' | 'logicalXor'>

function defineLogical(name: Binary) {
  return defineOp<readonly [AnyTensor, AnyTensor], undefined, Truths>(name, {
    forward: ([x, y]) => {
      requireTensor(name, y)
      return withTruths([x, y], (a, b) => runBinary(name, name, a, b))
    },
  })
}
export const logicalAnd = defineLogical('logicalAnd')
export const logicalOr = defineLogical('logicalOr')
export const logicalXor = defineLogical('logicalXor')

export const logicalNot = defineOp<readonly [AnyTensor], undefined, Truths>('logicalNot', {
  forward: (inputs) =>
    withTruths(inputs, (x) => {
      const y = allocate(x, x.shape, 'bool')
      x.storage.backend.run('logicalNot', x.handle, y.handle, x.size)
      return y
    }),
})

function defineFold(name: 'any' | 'all') {
  const op = defineOp<readonly [AnyTensor], { axes: readonly number[] }, Truths>(name, {
    forward: (inputs, { axes }) => withTruths(inputs, (x) => fold(name, x, axes, 1)),
  })
  return (x: AnyTensor, axes: AxesArgument, keepDims: boolean): Truths => {
    requireTensor(name, x)
    const list = resolveAxes(name, axes, x.shape.length)
    return finish(op(x, { axes: list }), x.shape, list, keepDims)
  }
}
/** Whether an element is true; of none, none is. */
export const any = defineFold('any')
/** Whether every element is true; of none, all are. */
export const all = defineFold('all')
