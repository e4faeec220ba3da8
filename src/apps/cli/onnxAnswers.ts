/** What a model of ONNX says of the rows of a table. */
import { DataError, loadOnnx, type OnnxModel, scope, type Tensor, tensor } from '../../index.js'
import type { Answer } from './answers.js'
import type { ReadingOptions } from './tableOptions.js'
import { numericEncoding, piecesFor } from './tables.js'

/** Numbers as they are. */
const AS_THEY_ARE = { mean: [0], scale: [1] }

/** The inputs of a model as columns of a table: one input for all of them, or one for each. */
interface Columns {
  readonly width: number
  /** Names of the columns; undefined where their order counts. */
  readonly names: readonly string[] | undefined
}

/**
 * Answers, some after others.
 * @param isWhole whether several values of an output are a list, not columns of their own
 * @throws DataError for a model that takes anything else than columns of numbers
 */
export async function* onnxAnswers(
  path: string,
  source: string,
  options: ReadingOptions,
  isWhole: boolean,
): AsyncGenerator<Answer[]> {
  const model = loadOnnx(path)
  const { width, names } = columnsOf(path, model)
  const encoding = numericEncoding(width, AS_THEY_ARE, names)
  let first = 0
  for await (const values of piecesFor(encoding, source, options)) {
    const count = values.length / width
    const found = scope(() => outputsOf(model, tensor(values, [count, width]), names))
    yield Array.from({ length: count }, (_, i) => ({
      row: first + i + 1,
      ...answerOf(path, found, i, count, isWhole),
    }))
    first += count
  }
}

function columnsOf(path: string, { inputs }: OnnxModel): Columns {
  const isNumbers = inputs.every(
    ({ dtype, shape }) => dtype.startsWith('float') && (shape === undefined || shape.length === 2),
  )
  const widths = inputs.map(({ shape }) => shape?.[1])
  if (isNumbers && inputs.length === 1 && typeof widths[0] === 'number') {
    return { width: widths[0], names: undefined }
  }
  if (isNumbers && inputs.length > 0 && widths.every((width) => width === 1)) {
    return { width: inputs.length, names: inputs.map(({ name }) => name) }
  }
  const got = inputs.map(
    ({ name, dtype, shape }) => `${name}: ${dtype} [${shape?.join(', ') ?? ''}]`,
  )
  throw new DataError(
    `${path}: expected inputs that are columns of numbers, got ${got.join(', ')}; loadOnnx(…).run() takes others`,
  )
}

/** All outputs, as plain values. */
function outputsOf(model: OnnxModel, x: Tensor, names: readonly string[] | undefined) {
  const [{ name }] = model.inputs
  const columns = names && x.split(1, 1)
  const inputs = columns
    ? names.map((name, i) => [name, columns[i]] as const)
    : [[name, x] as const]
  const outputs = Object.entries(model.run(Object.fromEntries(inputs)))
  return outputs.map(([name, values]) => ({
    name,
    values: Array.isArray(values) ? values : [...values.data()],
  }))
}

/** What the outputs say of one row of so many. */
function answerOf(
  path: string,
  outputs: ReturnType<typeof outputsOf>,
  row: number,
  count: number,
  isWhole: boolean,
): Answer {
  const entries = outputs.flatMap(({ name, values }) => {
    const width = values.length / count
    if (!Number.isInteger(width)) {
      throw new DataError(`${path}: expected ${name} of ${count} rows, got ${values.length} values`)
    }
    const own = values.slice(row * width, (row + 1) * width)
    if (width === 1) return [[name, own[0]]]
    if (isWhole) return [[name, own]]
    return own.map((value, i) => [`${name} ${i}`, value])
  })
  return Object.fromEntries(entries) as Answer
}
