/**
 * Examples that are too many to be held at once: a source gives them block by block. Anybody can implement
 * one; nothing here reads files.
 */
import { ArgumentError, excerpt } from '../../base/errors.js'
import type { TargetKind } from '../../nn/losses.js'
import { sizeOf } from '../../tensor/shape.js'
import type { ExampleForm, TargetArray } from '../dataset.js'

/** Examples of a source that lie one after another, at least one; blocks may differ in size. */
export interface Block<K extends TargetKind = TargetKind> {
  /** Row-major [examples, ...inputShape]; it may be written over once the next block is asked for. */
  readonly inputs: Float32Array | Uint8Array
  /** Labels [examples] as an Int32Array, or values row-major [examples, ...targetShape]. */
  readonly targets: TargetArray<K>
}

/**
 * Examples with their targets, block by block: what `fit`, `evaluate` and `predict` take where a `Dataset`
 * would not fit into memory.
 * @example
 * const source: BlockSource<'labels'> = {
 *   inputShape: [32],
 *   classes: ['no', 'yes'],
 *   async *blocks() {
 *     for await (const rows of readRows()) yield { inputs: featuresOf(rows), targets: labelsOf(rows) }
 *   },
 * }
 */
export interface BlockSource<K extends TargetKind = TargetKind> {
  /** What errors call it; `the blocks` by default. */
  readonly name?: string
  /** Number of examples, where it is known before they are read. */
  readonly size?: number
  /** Shape of one example. */
  readonly inputShape: readonly number[]
  /** What inputs are: `float32`, the default, or `uint8`, as in images. */
  readonly dtype?: 'float32' | 'uint8'
  /** What bytes are multiplied by when they are batched; 1 by default. */
  readonly scale?: number
  /** The names of the classes, where targets are labels; else targets are values. */
  readonly classes?: readonly string[]
  /** Shape of one target, of values; `[1]` by default. */
  readonly targetShape?: readonly number[]
  /**
   * Says which data these are: the same text for the same examples in the same order, and for no others.
   * Checkpoints and kept caches need it.
   */
  readonly digest?: string
  /**
   * Goes through all examples from the first one on, always in the same order. The iterable is closed where
   * it is not read to its end.
   */
  blocks(): AsyncIterable<Block<K>> | Iterable<Block<K>>
}

/** What is known of a source's examples before they are read. */
export interface BlockForm {
  readonly name: string
  readonly size: number | undefined
  readonly dtype: 'float32' | 'uint8'
  readonly isLabels: boolean
  /** Numbers of one example, and of its target. */
  readonly width: number
  readonly targetWidth: number
  readonly digest: string | undefined
  /** All but the targets themselves, of which there are none. */
  readonly form: ExampleForm
}

/** Whether it is a source of blocks. */
export function isBlockSource(value: unknown): value is BlockSource {
  return typeof (value as BlockSource | undefined)?.blocks === 'function'
}

const isShape = (shape: unknown): shape is readonly number[] =>
  Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1)

/** @throws ArgumentError for a source whose description is none */
export function blockFormOf(op: string, source: BlockSource): BlockForm {
  const { name = 'the blocks', size, inputShape, dtype = 'float32', scale = 1 } = source
  const { classes, digest } = source
  const isLabels = classes !== undefined
  const targetShape = isLabels ? [] : (source.targetShape ?? [1])
  const expect = (ok: boolean, what: string, value: unknown) => {
    if (!ok)
      throw new ArgumentError(`${op}: expected ${what} of a block source, got ${excerpt(value)}`)
  }
  const isText = (value: unknown) => typeof value === 'string'
  const isTexts = Array.isArray(classes) && classes.length > 0 && classes.every(isText)
  expect(isText(name), 'the name', name)
  expect(isShape(inputShape), 'the inputShape', inputShape)
  expect(isShape(targetShape), 'the targetShape', targetShape)
  expect(dtype === 'float32' || dtype === 'uint8', 'dtype float32 or uint8', dtype)
  const isScale = Number.isFinite(scale) && (scale === 1 || dtype === 'uint8')
  expect(isScale, 'a finite scale, and one other than 1 only for bytes,', scale)
  expect(!isLabels || isTexts, 'the names of classes', classes)
  expect(size === undefined || (Number.isSafeInteger(size) && size >= 1), 'a size >= 1', size)
  expect(digest === undefined || isText(digest), 'the digest', digest)
  if (isLabels && source.targetShape !== undefined && source.targetShape.length > 0) {
    throw new ArgumentError(
      `${op}: expected a block source of labels (classes) or of values (targetShape), got both`,
    )
  }
  const targets = isLabels ? new Int32Array(0) : new Float32Array(0)
  return {
    name,
    size,
    dtype,
    isLabels,
    width: sizeOf(inputShape),
    targetWidth: sizeOf(targetShape),
    digest,
    form: { name, inputShape, scale, targets, targetShape, classes: classes ?? [] },
  }
}
