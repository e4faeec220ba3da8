/** Products of matrices. */
import type { Tensor } from '../../tensor/tensor.js'
import { bmm, matmul } from '../matmul.js'

export class ProductMethods {
  /**
   * Product of matrices, [..., m, k]·[..., k, n] = [..., m, n]: those of the last two axes, for each
   * place of the axes before them, which broadcast as NumPy's do. A vector counts as a row on the
   * left and as a column on the right, and that axis is dropped from the result. `transA` and
   * `transB` transpose the last two axes without copying them.
   * @throws ShapeError when the inner dimensions differ, the axes before do not broadcast, or one is
   *   a scalar
   */
  matmul(this: Tensor, b: Tensor, transposes?: { transA?: boolean; transB?: boolean }): Tensor {
    return matmul(this, b, transposes)
  }
  /**
   * Products of two batches of matrices, [batch, m, k]·[batch, k, n] = [batch, m, n].
   * @throws ShapeError for other shapes
   */
  bmm(this: Tensor, b: Tensor): Tensor {
    return bmm(this, b)
  }
}
