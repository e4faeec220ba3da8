/** What a module is asked about, read: rows, typed arrays with their shape, tensors, data sets. */
import { checkDataset, type Dataset } from '../data/dataset.js'
import { type Rows, readRows, requireExamples, type Values } from '../data/rows.js'
import { applyPreprocessing } from '../data/transforms/standardize.js'
import { tensor } from '../tensor/create.js'
import { type Shape, sizeOf } from '../tensor/shape.js'
import { isShaped, type ShapedValues, shapeFor } from '../tensor/shapedValues.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'

/** Examples for a module, the first axis of what goes in. */
export type ModuleRows = Rows | ShapedValues | Dataset

export function isDataset(rows: unknown): rows is Dataset {
  return typeof rows === 'object' && rows !== null && 'inputs' in rows && 'inputShape' in rows
}

/** Examples, of which parts go into a module. */
export interface ModuleInputs {
  readonly size: number
  /** From one example to before another. */
  part(begin: number, end: number): Tensor
}

/** @throws ArgumentError for what is no finite number, ShapeError when rows differ in length or there are none */
export function readModuleInputs(op: string, rows: ModuleRows): ModuleInputs {
  if (isDataset(rows)) {
    const { inputs, inputShape, size, scale } = checkDataset(op, rows)
    return inputsOf(inputs, [size, ...inputShape], scale)
  }
  if (isTensor(rows) && (rows.dtype as string) === 'int32') {
    const { shape } = rows
    const [values, width] = [rows.data() as Int32Array, sizeOf(shape.slice(1))]
    requireExamples(op, shape, values.length)
    const part = (begin: number, end: number) =>
      tensor(values.subarray(begin * width, end * width), [end - begin, ...shape.slice(1)])
    return { size: shape[0], part: part as unknown as ModuleInputs['part'] }
  }
  const { values, shape } = readShaped(op, rows)
  return inputsOf(values, shape, isTensor(rows) && rows.dtype === 'uint8' ? 1 / 255 : 1)
}

function inputsOf(values: Float32Array | Uint8Array, shape: Shape, scale: number): ModuleInputs {
  const rest = shape.slice(1)
  const width = sizeOf(rest)
  const part = (begin: number, end: number) => {
    const raw = values.subarray(begin * width, end * width)
    return tensor(applyPreprocessing(raw, width, { mean: [0], scale: [scale] }), [
      end - begin,
      ...rest,
    ])
  }
  return { size: shape[0], part }
}

/** As `readRows`, and of values with their shape. */
export function readShaped(op: string, rows: Rows | ShapedValues): Values {
  if (isTensor(rows) || !isShaped(rows)) return readRows(op, rows as Rows)
  const { values } = readRows(op, rows.data)
  return { values, shape: shapeFor(op, rows.shape, values.length) }
}
