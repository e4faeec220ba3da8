/** Elements chosen by a mask, a tensor that is true where they are. */
import { isRecording } from '../backend/record.js'
import { CaptureError } from '../base/errors.js'
import { allocate } from '../tensor/allocate.js'
import { broadcastShapes, sameShape } from '../tensor/shape.js'
import { type AnyTensor, type Tensor, writeElements } from '../tensor/tensor.js'
import { requireCondition, where } from './elementwise.js'
import { take } from './gather.js'
import { expandTo } from './layout.js'
import { filled } from './raw.js'
import { requireTensor, requireValue } from './require.js'

/** @inline */
export type Mask = Tensor | Tensor<'bool'>

/** x with one value where the mask is true. */
export function maskedFill<T extends AnyTensor>(x: T, mask: Mask, value: number): T {
  requireCondition('maskedFill', mask)
  requireValue('maskedFill', x, value)
  x.handle // refuses a released tensor
  return where(mask, filled(x, value, []), x) as T
}

/** The positions of what is not 0, in row-major order; read now, which a recording cannot. */
function positionsIn(op: string, x: AnyTensor, instead: string): Int32Array {
  if (isRecording()) {
    throw new CaptureError(
      `capture: ${op} has as many elements as values decide, which a captured function cannot read; ${instead}`,
    )
  }
  const values = x.data() as ArrayLike<number>
  const positions = new Int32Array(values.length)
  let count = 0
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) positions[count++] = i
  return positions.subarray(0, count)
}

/** The elements where the mask is true, in a row. */
export function maskedSelect<T extends AnyTensor>(x: T, mask: Mask): T {
  requireCondition('maskedSelect', mask)
  const shape = broadcastShapes('maskedSelect', x.shape, mask.shape)
  const fitting = <X extends AnyTensor>(of: X) =>
    sameShape(of.shape, shape) ? of : expandTo(of, shape)
  const chosen = positionsIn(
    'maskedSelect',
    fitting<AnyTensor>(mask),
    'where or maskedFill keep the shape',
  )
  const positions = allocate(x, [chosen.length], 'int32')
  writeElements('maskedSelect', positions, chosen)
  return take(fitting(x), positions)
}

/** The index of each element that is not 0, [count, rank]. */
export function nonzero(x: AnyTensor): Tensor<'int32'> {
  requireTensor('nonzero', x)
  const positions = positionsIn('nonzero', x, 'multiply by a mask instead')
  const rank = x.shape.length
  const indices = new Int32Array(positions.length * rank)
  for (const [i, position] of positions.entries()) {
    let rest = position
    for (let axis = rank - 1; axis >= 0; axis--) {
      indices[i * rank + axis] = rest % x.shape[axis]
      rest = Math.floor(rest / x.shape[axis])
    }
  }
  const y = allocate(x, [positions.length, rank], 'int32')
  writeElements('nonzero', y, indices)
  return y
}
