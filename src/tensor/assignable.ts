/** Whether a tensor could be overwritten: asked where several are to be, or none. */
import { dtypes } from '../backend/dtype.js'
import { excerpt, ShapeError } from '../base/errors.js'
import { readList } from './numbers.js'
import { format, type Shape, sameShape } from './shape.js'
import type { AnyTensor } from './tensor.js'

/**
 * Refuses what could not be assigned.
 * @param name what the tensor is called, for the errors
 */
export function checkAssignable(
  op: string,
  name: string,
  x: AnyTensor,
  values: { shape: Shape; data: ArrayLike<number> },
): void {
  const { shape, data } = values ?? {}
  if (!Array.isArray(shape) || !sameShape(shape, x.shape)) {
    throw new ShapeError(
      `${op}: expected ${name} of shape ${format(x.shape)}, got ${excerpt(shape)}`,
    )
  }
  const { length } = readList(`${op}: ${name}`, 'a list of numbers', data)
  if (length !== x.size) {
    throw new ShapeError(
      `${op}: expected ${x.size} values for ${name} of shape ${format(shape)}, got ${length}`,
    )
  }
  // To write nothing is refused, too, while the tensor is released or in use.
  x.storage.backend.write(x.handle, new dtypes[x.storage.dtype].array(0))
}
