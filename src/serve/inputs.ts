/** Inputs of a model, read from what a request brings. */
import { excerpt } from '../base/errors.js'
import { quote } from '../base/text.js'
import { readImages } from '../data/images/readImages.js'
import { encodeInMemory } from '../data/table/applied.js'
import type { TableEncoding } from '../data/table/encoding.js'
import type { TableRows } from '../data/table/frame.js'
import { applyPreprocessing, type Preprocessing } from '../data/transforms/standardize.js'
import type { Shape } from '../tensor/shape.js'
import type { ModelInterface, Served } from './modelInterface.js'
import type { WholeOptions } from './options.js'
import { Refusal } from './refusal.js'

type Unseen = WholeOptions['unseen']

/** Rows of inputs, one after another. */
export interface Rows {
  readonly inputs: Float32Array
  readonly rows: number
}

const refuse = (message: string): never => {
  throw new Refusal(400, message)
}

/** What JSON text says. @throws Refusal for what is no JSON */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const odd = notFiniteIn(text)
    if (odd) return refuse(`${odd.path}: expected a finite number, got ${odd.word}`)
    return refuse(`expected JSON, got ${text === '' ? 'nothing' : (error as Error).message}`)
  }
}

/** The first NaN or Infinity, which Python writes though JSON has none, and where it stands. */
function notFiniteIn(text: string): { path: string; word: string } | undefined {
  try {
    // Strings are matched to be passed over; one that does not end, too, so that no text takes long.
    const marked = text.replace(/"(?:[^"\\]|\\.)*"?|-?\b(?:NaN|Infinity)\b/g, (found) =>
      found.startsWith('"') ? found : `{"${MARK}":"${found}"}`,
    )
    return findMark(JSON.parse(marked), '')
  } catch {
    return undefined
  }
}

const MARK = 'not finite'

function findMark(value: unknown, path: string): { path: string; word: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (MARK in value) return { path, word: `${value[MARK]}` }
  for (const [key, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`
    const found = findMark(inner, path + step)
    if (found) return found
  }
  return undefined
}

/** The rows of `{ inputs }`, one or several. @throws Refusal */
export function readJson(body: unknown, served: Served, maxRows: number, unseen: Unseen): Rows {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !('inputs' in body)) {
    return refuse(`expected an object as in {"inputs": [...]}, got ${excerpt(body)}`)
  }
  for (const key in body) {
    if (key !== 'inputs') refuse(`expected inputs and nothing else, got ${quote(key)}`)
  }
  const { inputs } = body
  return served.encoding
    ? readTable(inputs, served.encoding, maxRows, unseen)
    : readNumbers(inputs, served, maxRows)
}

function readNumbers(
  given: unknown,
  { shape, width, preprocessing }: Served,
  maxRows: number,
): Rows {
  if (!Array.isArray(given) || given.length === 0) {
    return refuse(
      `inputs: expected a row of ${width} numbers or a list of rows, got ${excerpt(given)}`,
    )
  }
  const isOne = !Array.isArray(given[0])
  const rows = isOne ? 1 : given.length
  checkRows(rows, maxRows)
  const inputs = new Float32Array(rows * width)
  if (isOne) readRow(given, 'inputs', width, inputs, 0)
  for (let i = 0; i < rows && !isOne; i++) {
    const row: unknown = given[i]
    const name = `inputs[${i}]`
    if (!Array.isArray(row)) {
      return refuse(`${name}: expected a row of ${width} numbers, got ${excerpt(row)}`)
    }
    const flat = Array.isArray(row[0]) ? flatten(row, name, shape) : row
    readRow(flat, name, width, inputs, i * width)
  }
  return { inputs: scaled(inputs, width, preprocessing), rows }
}

function checkRows(rows: number, maxRows: number): void {
  if (rows > maxRows) {
    throw new Refusal(413, `inputs: expected at most ${maxRows} rows in a request, got ${rows}`)
  }
}

function readRow(
  row: readonly unknown[],
  name: string,
  width: number,
  inputs: Float32Array,
  begin: number,
): void {
  if (row.length !== width) refuse(`${name}: expected ${width} numbers, got ${row.length}`)
  for (let i = 0; i < width; i++) {
    const value = row[i]
    if (typeof value !== 'number' || !(Math.abs(value) <= MAX_FLOAT32)) {
      refuse(`${name}[${i}]: expected a finite number of float32, got ${excerpt(value)}`)
    }
    inputs[begin + i] = value as number
  }
}

const MAX_FLOAT32 = 3.4028234663852886e38

/** Raw rows as the model takes them. */
function scaled(inputs: Float32Array, width: number, preprocessing: Preprocessing): Float32Array {
  const { mean, scale } = preprocessing
  const isPlain = mean.length === 1 && mean[0] === 0 && scale.length === 1 && scale[0] === 1
  return isPlain ? inputs : applyPreprocessing(inputs, width, preprocessing)
}

/** The numbers of a row that is nested as the model's inputs are. */
function flatten(row: readonly unknown[], name: string, shape: Shape): readonly unknown[] {
  const [length, ...rest] = shape
  if (row.length !== length) refuse(`${name}: expected ${length} elements, got ${row.length}`)
  if (rest.length === 0) return row
  return row.flatMap((inner, i) => {
    if (Array.isArray(inner)) return flatten(inner, `${name}[${i}]`, rest)
    return refuse(`${name}[${i}]: expected a list of ${rest[0]}, got ${excerpt(inner)}`)
  })
}

function readTable(given: unknown, encoding: TableEncoding, maxRows: number, policy: Unseen): Rows {
  const rows = tableRows(given)
  checkRows(rows.length, maxRows)
  const names = new Set(encoding.features.map(({ name }) => name))
  for (const [i, row] of rows.entries()) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) continue
    const odd = Object.keys(row).find((key) => !names.has(key))
    if (odd !== undefined) {
      refuse(`inputs: expected the columns ${[...names].join(', ')}, got ${quote(odd)} in row ${i}`)
    }
  }
  const { inputs, unseen } = encodeInMemory('inputs', rows as TableRows, encoding)
  if (unseen.length > 0 && policy === 'refuse') {
    const [{ column, example }] = unseen
    refuse(
      `inputs: expected a category that training had in column ${column}, got ${quote(example)}`,
    )
  }
  return { inputs, rows: rows.length }
}

/** One row, as a record or as a list of cells, or a list of rows. */
function tableRows(given: unknown): readonly unknown[] {
  if (typeof given !== 'object' || given === null) {
    return refuse(`inputs: expected a row or a list of rows, got ${excerpt(given)}`)
  }
  if (!Array.isArray(given)) return [given]
  if (given.length === 0) return refuse('inputs: expected rows, got none')
  return typeof given[0] === 'object' && given[0] !== null ? given : [given]
}

/** Rows of float32, little-endian. @throws Refusal */
export function readFloats(body: Uint8Array, served: Served, maxRows: number): Rows {
  const { width, preprocessing, encoding } = served
  if (encoding) throw new Refusal(415, 'expected application/json for rows of a table')
  const rows = body.length / (4 * width)
  if (rows === 0 || !Number.isInteger(rows)) {
    refuse(`expected rows of ${width} float32, ${4 * width} bytes each, got ${body.length} bytes`)
  }
  checkRows(rows, maxRows)
  const inputs = new Float32Array(rows * width)
  new Uint8Array(inputs.buffer).set(body)
  let sum = 0
  for (let i = 0; i < inputs.length; i++) sum += inputs[i] - inputs[i]
  if (sum !== 0) {
    const at = inputs.findIndex((value) => !Number.isFinite(value))
    const place = `inputs[${Math.floor(at / width)}][${at % width}]`
    refuse(`${place}: expected a finite number, got ${inputs[at]}`)
  }
  return { inputs: scaled(inputs, width, preprocessing), rows }
}

/** The pixels of an image as its file has it. @throws Refusal, DataError, MissingPackageError without sharp */
export async function decodeImage(
  body: Uint8Array,
  { images }: Pick<ModelInterface, 'images'>,
): Promise<Uint8Array> {
  if (!images)
    throw new Refusal(415, 'expected numbers, as the model takes no images, got an image')
  const { data } = await readImages([body], images)
  return data as Uint8Array
}

export function pixelRow(pixels: Uint8Array, { width, pixelPreprocessing }: Served): Rows {
  return { inputs: applyPreprocessing(pixels, width, pixelPreprocessing), rows: 1 }
}
