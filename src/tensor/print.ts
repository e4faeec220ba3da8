/**
 * Numbers as text, laid out as NumPy up to 2.2 prints arrays with its default options, and as
 * nested arrays.
 */
import type { TypedArray } from '../backend/dtype.js'
import { ShapeError } from '../base/errors.js'
import { format, type Shape, sizeOf } from './shape.js'

/** Nested arrays of numbers; a plain number has no axes. */
export type Nested = number | readonly Nested[]

interface NestedByRank {
  0: number
  1: number[]
  2: number[][]
  3: number[][][]
  4: number[][][][]
  5: number[][][][][]
}
/**
 * Nested arrays of so many axes, where the number is known.
 * @inline
 */
export type NestedOf<Rank extends number> = Rank extends keyof NestedByRank
  ? NestedByRank[Rank]
  : Nested

/** So many arrays of nothing take a gigabyte. */
const MOST_EMPTY = 2 ** 24

/**
 * Flat row-major values as nested arrays of a shape.
 * @throws ShapeError for more arrays without elements than memory has room for
 */
export function nest(values: ArrayLike<number>, shape: Shape): Nested {
  const empty = sizeOf(shape.slice(0, Math.max(shape.indexOf(0), 0)))
  if (empty > MOST_EMPTY) {
    throw new ShapeError(
      `toArray: expected at most ${MOST_EMPTY} arrays without elements, got shape ${format(shape)}`,
    )
  }
  let position = 0
  const build = (axis: number): Nested =>
    axis === shape.length
      ? values[position++]
      : Array.from({ length: shape[axis] }, () => build(axis + 1))
  return build(0)
}

/** Digits after the point. */
const PRECISION = 8
/** Arrays of more elements show only EDGE_ITEMS at both ends of each axis. */
const THRESHOLD = 1000
export const EDGE_ITEMS = 3
const LINE_WIDTH = 75

type Print = (value: number) => string
type FloatArray = Float32Array | Float64Array

function isFloats(values: TypedArray): values is FloatArray {
  return values instanceof Float32Array || values instanceof Float64Array
}

/**
 * What `str(array)` gives in NumPy for an array of these elements. Their type says how many digits
 * name one of them.
 */
export function formatTensor(values: TypedArray, shape: Shape): string {
  if (shape.length === 0) return isFloats(values) ? formatScalar(values) : String(values[0])
  if (values.length === 0) return '[]'
  const visible: number[] = []
  layOut(values, shape, (value) => `${visible.push(value)}`)
  return layOut(values, shape, isFloats(values) ? floatFormat(visible, values) : intFormat(visible))
}

/** Rows with brackets and line breaks; each axis but the last adds a line break between its items. */
function layOut(values: TypedArray, shape: Shape, print: Print): string {
  const visit = (axis: number, start: number): string => {
    const extent = shape[axis]
    const stride = sizeOf(shape.slice(axis + 1))
    const cut = values.length > THRESHOLD && extent > 2 * EDGE_ITEMS
    const items: string[] = []
    for (let i = 0; i < extent; i++) {
      if (cut && i === EDGE_ITEMS) {
        items.push('...')
        i = extent - EDGE_ITEMS
      }
      const at = start + i * stride
      items.push(axis === shape.length - 1 ? print(values[at]) : visit(axis + 1, at))
    }
    const indent = ' '.repeat(axis + 1)
    if (axis === shape.length - 1) return `[${wrap(items, indent, LINE_WIDTH - axis - 1)}]`
    return `[${items.join('\n'.repeat(shape.length - 1 - axis) + indent)}]`
  }
  return visit(0, 0)
}

/** Words in lines up to a width, which counts the indent; the first line stands behind its bracket. */
function wrap(words: readonly string[], indent: string, width: number): string {
  const lines: string[] = []
  let line = indent
  for (const word of words) {
    if (line.length > indent.length && line.length + word.length > width) {
      lines.push(line.trimEnd())
      line = indent
    }
    line += `${word} `
  }
  // Only the blank behind the last word goes: a line may begin with blanks that align it.
  return [...lines, line.slice(0, -1)].join('\n').slice(indent.length)
}

function intFormat(values: readonly number[]): Print {
  let width = 0
  for (const value of values) width = Math.max(width, String(value).length)
  return (value) => String(value).padStart(width)
}

/** The shortest decimal that names a value > 0 among those of its type, as `d.ddde±x`. */
function shortest(value: number, type: FloatArray): string {
  if (type instanceof Float64Array) return withPoint(value.toExponential())
  for (let digits = 0; digits < 8; digits++) {
    const nearest = value.toExponential(digits)
    if (Math.fround(Number(nearest)) === value) return round(value, digits, 'toExponential')
    if (!Number.isInteger(Math.log2(value))) continue
    // Above a power of two the neighbour is twice as far as below: a decimal that is farther away,
    // but above, may still name it.
    const [mantissa, exponent] = nearest.split('e')
    const above = `${(Number(mantissa) + 10 ** -digits).toFixed(digits)}e${exponent}`
    if (Math.fround(Number(above)) === value) return withPoint(above)
  }
  return value.toExponential(8)
}

/** The value exactly, rounded half to even; JavaScript takes the larger one of two neighbours. */
function round(value: number, digits: number, method: 'toFixed' | 'toExponential'): string {
  if (/5(e|$)/.test(value[method](digits + 1))) {
    const [exact, exponent = ''] = value[method](100).split('e')
    const end = exact.indexOf('.') + 1 + digits
    const isTie = /^50*$/.test(exact.slice(end))
    const isEven = /[02468]\.?$/.test(exact.slice(0, end))
    if (isTie && isEven) return exact.slice(0, end) + (exponent && `e${exponent}`)
  }
  return withPoint(value[method](digits))
}

/** `2.` for `2`, as NumPy writes whole numbers. */
function withPoint(text: string): string {
  return text.includes('.') ? text : text.replace(/(?=e|$)/, '.')
}

/** Without zeros at the end of the fraction. */
function trim(text: string): string {
  return text.replace(/(\.\d*?)0+(?=e|$)/, '$1')
}

function fractionLength(text: string): number {
  return /\.(\d*)/.exec(text)?.[1].length ?? 0
}

/** What all elements have in common: exponents or not, digits, width. */
function floatFormat(values: readonly number[], type: FloatArray): Print {
  const magnitudes = values.filter(Number.isFinite).map(Math.abs)
  const narrow = type instanceof Float32Array ? Math.fround : Number
  const nonZero = magnitudes.filter((value) => value !== 0)
  const largest = nonZero.reduce((a, b) => Math.max(a, b), 0)
  const smallest = nonZero.reduce((a, b) => Math.min(a, b), Infinity)
  const exponents = largest >= 1e8 || smallest < narrow(1e-4) || narrow(largest / smallest) > 1000
  const format = exponents ? exponential(magnitudes, type) : positional(magnitudes, type)
  const print = (value: number): string => {
    const sign = value < 0 || Object.is(value, -0) ? '-' : ''
    if (Number.isNaN(value)) return 'nan'
    return sign + (Number.isFinite(value) ? format(Math.abs(value)) : 'inf')
  }
  let width = 0
  for (const value of values) width = Math.max(width, print(value).length)
  return (value) => print(value).padStart(width)
}

/** As many digits as each value needs, aligned at the point. */
function positional(magnitudes: readonly number[], type: FloatArray): Print {
  const format: Print = (value) => {
    const [mantissa, exponent] = shortest(value, type).split('e')
    const digits = fractionLength(mantissa) - Number(exponent)
    return trim(round(value, Math.min(Math.max(digits, 0), PRECISION), 'toFixed'))
  }
  let longest = 0
  for (const value of magnitudes) longest = Math.max(longest, fractionLength(format(value)))
  return (value) => {
    const text = format(value)
    return text + ' '.repeat(longest - fractionLength(text))
  }
}

/** As many digits as the value that needs most, exact ones in the others too. */
function exponential(magnitudes: readonly number[], type: FloatArray): Print {
  let digits = 0
  let exponentLength = 2
  for (const value of magnitudes) {
    let text = shortest(value, type)
    if (fractionLength(text) > PRECISION) text = trim(round(value, PRECISION, 'toExponential'))
    digits = Math.max(digits, fractionLength(text))
    exponentLength = Math.max(exponentLength, text.length - text.indexOf('e') - 2)
  }
  return (value) => {
    const text = shortest(value, type)
    const fits = fractionLength(text) === digits
    return padExponent(fits ? text : round(value, digits, 'toExponential'), exponentLength)
  }
}

function padExponent(text: string, length: number): string {
  return text.replace(/\d+$/, (exponent) => exponent.padStart(length, '0'))
}

/** A number by itself, as Python writes it. */
function formatScalar(values: FloatArray): string {
  const [value] = values
  if (Number.isNaN(value)) return 'nan'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const magnitude = Math.abs(value)
  if (magnitude === Infinity) return `${sign}inf`
  const text = shortest(magnitude, values)
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    return sign + padExponent(text, 2).replace('.e', 'e')
  }
  return sign + String(Number(text)).replace(/^\d+$/, '$&.0')
}
