/** Elements in other places: parts, repetitions, rotations, borders, triangles and diagonals. */
import type { DType } from '../../backend/dtype.js'
import type { Tensor } from '../../tensor/tensor.js'
import * as moving from '../moving.js'
import type { AxesArgument } from '../reduce.js'

export class MovingMethods<D extends DType> {
  /**
   * Parts of an axis, one after another: of a length each (the last one may be shorter), or of the
   * lengths in a list.
   * @throws ShapeError when the lengths do not add up to the axis, ArgumentError for what are no lengths
   * @example const [first, rest] = x.split([1, 9])
   */
  split(this: Tensor<D>, sizes: number | readonly number[], axis = 0): Tensor<D>[] {
    return moving.split(this, sizes, axis)
  }
  /**
   * At most `count` parts of an axis, of one length but for a shorter last one. As in PyTorch there are
   * fewer where so many of that length suffice: 5 elements make 3 chunks of 2, 2 and 1, also for 4.
   * @throws ShapeError when there is no such axis, ArgumentError for a count below 1
   */
  chunk(this: Tensor<D>, count: number, axis = 0): Tensor<D>[] {
    return moving.chunk(this, count, axis)
  }
  /**
   * Copies beside each other, so many along each axis. Counts are aligned at the last axis; those, or
   * axes, that are missing count as 1. NumPy's `tile`.
   * @throws ArgumentError for what are no counts, ShapeError for more than 8 axes
   * @example x.tile([2, 1]) // [3, 4] becomes [6, 4]
   */
  tile(this: Tensor<D>, counts: readonly number[]): Tensor<D> {
    return moving.tile('tile', this, counts)
  }
  /**
   * `tile` with a count for each axis at least: `repeat` as PyTorch has it. What NumPy calls so is
   * `repeatInterleave`.
   * @throws ShapeError for fewer counts than axes, and what `tile` throws
   */
  repeat(this: Tensor<D>, counts: readonly number[]): Tensor<D> {
    return moving.repeat(this, counts)
  }
  /**
   * Every element several times in a row along an axis; without one, along all elements in a row.
   * @throws ArgumentError for what is no count, ShapeError when there is no such axis
   * @example tensor([1, 2]).repeatInterleave(2) // [1, 1, 2, 2]
   */
  repeatInterleave(this: Tensor<D>, count: number, axis?: number): Tensor<D> {
    return moving.repeatInterleave(this, count, axis)
  }
  /**
   * The order along an axis, or several, reversed; along all by default. A copy.
   * @throws ShapeError when there is no such axis or one is named twice
   */
  flip(this: Tensor<D>, axes?: AxesArgument): Tensor<D> {
    return moving.flip(this, axes)
  }
  /**
   * Moved by a number of places along an axis, or by several along as many; what leaves at the end
   * comes in at the front. Without axes, along all elements in a row.
   * @throws ArgumentError for shifts that are no whole numbers, or not as many as axes, ShapeError
   * @example tensor([1, 2, 3]).roll(1) // [3, 1, 2]
   */
  roll(
    this: Tensor<D>,
    shifts: number | readonly number[],
    axes?: number | readonly number[],
  ): Tensor<D> {
    return moving.roll(this, shifts, axes)
  }
  /**
   * With more elements before and after each axis.
   * @param pads a pair [before, after] for each axis, from the first one on
   * @param options mode: `constant` for a value (0 by default), `reflect` for the elements mirrored at
   * the border (which does not come twice), `replicate` for the border's own
   * @throws ArgumentError for what are no such pairs and options, ShapeError where more elements are to
   * be mirrored than there are
   * @example x.pad([[0, 0], [1, 2]], { value: -1 }) // [3, 4] becomes [3, 7]
   */
  pad(this: Tensor<D>, pads: moving.Pads, options: moving.PadOptions = {}): Tensor<D> {
    return moving.pad(this, pads, options)
  }
  /**
   * Of matrices (the last two axes) what lies on a diagonal and below it, and 0 above.
   * @param diagonal 0 for the main one, above it from 1 on
   * @throws ShapeError for less than 2 axes
   */
  tril(this: Tensor<D>, diagonal = 0): Tensor<D> {
    return moving.triangle('tril', this, diagonal)
  }
  /** Of matrices what lies on a diagonal and above it, and 0 below; otherwise as `tril`. */
  triu(this: Tensor<D>, diagonal = 0): Tensor<D> {
    return moving.triangle('triu', this, diagonal)
  }
  /**
   * Of a vector the matrix that has it on a diagonal, of a matrix its diagonal. A copy.
   * @param offset 0 for the main diagonal, above it from 1 on
   * @throws ShapeError for other than 1 or 2 axes
   */
  diag(this: Tensor<D>, offset = 0): Tensor<D> {
    return moving.diag(this, offset)
  }
  /**
   * The diagonals of two axes, the first two by default, as the last axis of the result. A copy.
   * @param offset 0 for the main diagonal, above it from 1 on
   * @throws ShapeError when there are no such axes, or both are the same
   */
  diagonal(this: Tensor<D>, offset = 0, axis1 = 0, axis2 = 1): Tensor<D> {
    return moving.diagonal(this, offset, axis1, axis2)
  }
}
