/** Products of matrices. */
import type { Tensor } from '../../tensor/tensor.js'
import { matmul } from '../matmul.js'

export class ProductMethods {
  /**
   * Product of two matrices, [m, k]·[k, n] = [m, n]; a vector counts as a row on the left and as a
   * column on the right, and that axis is dropped from the result. `transA` and `transB` transpose
   * a matrix without copying it.
   * @throws ShapeError when the inner dimensions differ or there are other than 1 or 2 axes
   */
  matmul(this: Tensor, b: Tensor, transposes?: { transA?: boolean; transB?: boolean }): Tensor {
    return matmul(this, b, transposes)
  }
}
