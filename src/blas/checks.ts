/**
 * The checks of src/blas/index.ts. The addon repeats those that its memory depends on, without the
 * explanations.
 */
import { types } from 'node:util'
import { ArgumentError, ShapeError } from '../base/errors.js'
import type { FloatArray } from './engine.js'

// BLAS counts in int.
const MOST = 2 ** 31 - 1

const shown = (value: unknown) => (typeof value === 'number' ? value : typeof value)

export function flag(op: string, name: string, value: boolean): void {
  if (typeof value !== 'boolean') {
    throw new ArgumentError(`${op}: ${name} must be true or false, got ${shown(value)}`)
  }
}

export function number(op: string, name: string, value: number): void {
  if (typeof value !== 'number') {
    throw new ArgumentError(`${op}: ${name} must be a number, got ${shown(value)}`)
  }
}

export function size(op: string, name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= MOST)) {
    throw new ArgumentError(
      `${op}: ${name} must be an integer from 0 to 2^31 - 1, got ${shown(value)}`,
    )
  }
}

export function sameType(op: string, arrays: Record<string, FloatArray>): void {
  let doubles: boolean | undefined
  for (const name in arrays) {
    const array: unknown = arrays[name]
    const isDouble = types.isFloat64Array(array)
    if (!isDouble && !types.isFloat32Array(array)) {
      throw new ArgumentError(`${op}: ${name} must be a Float32Array or a Float64Array`)
    }
    doubles ??= isDouble
    if (isDouble !== doubles) {
      throw new ArgumentError(`${op}: the arrays must be all Float32Array or all Float64Array`)
    }
  }
}

/** `rows` runs of `cols` elements whose starts are `lead` apart; a vector is runs of one element. */
interface Region {
  name: string
  array: FloatArray
  rows: number
  cols: number
  lead: number
}

/** Elements from the first to the last. */
function extent({ rows, cols, lead }: Region): number {
  return rows === 0 || cols === 0 ? 0 : (rows - 1) * lead + cols
}

function checked(op: string, region: Region): Region {
  const { name, array } = region
  const needed = extent(region)
  if (needed > array.length) {
    throw new ShapeError(
      `${op}: ${name} must hold at least ${needed} elements, got ${array.length}`,
    )
  }
  if (needed > MOST) {
    throw new ShapeError(`${op}: ${name} must span fewer than 2^31 elements, got ${needed}`)
  }
  return region
}

export function matrix(
  op: string,
  name: string,
  array: FloatArray,
  rows: number,
  cols: number,
  colsName: string,
  lead: number,
): Region {
  size(op, `ld${name}`, lead)
  if (lead < Math.max(cols, 1)) {
    const least = cols > 0 ? `${colsName} = ${cols}` : '1'
    throw new ShapeError(`${op}: ld${name} must be at least ${least}, got ${lead}`)
  }
  return checked(op, { name, array, rows, cols, lead })
}

export function vector(
  op: string,
  name: string,
  array: FloatArray,
  n: number,
  step: number,
): Region {
  if (!Number.isInteger(step) || step === 0 || Math.abs(step) > MOST) {
    throw new ArgumentError(
      `${op}: inc${name} must be an integer other than 0 and below 2^31, got ${shown(step)}`,
    )
  }
  return checked(op, { name, array, rows: n, cols: 1, lead: Math.abs(step) })
}

export function separate(op: string, result: Region, operands: Region[]): void {
  for (const operand of operands) {
    if (overlap(result, operand)) {
      throw new ArgumentError(`${op}: ${result.name} must not share memory with ${operand.name}`)
    }
  }
}

function overlap(p: Region, q: Region): boolean {
  const pEnd = extent(p)
  const qEnd = extent(q)
  if (p.array.buffer !== q.array.buffer || pEnd === 0 || qEnd === 0) return false
  // How far q starts behind p.
  const distance = (q.array.byteOffset - p.array.byteOffset) / p.array.BYTES_PER_ELEMENT
  if (distance >= pEnd || distance + qEnd <= 0) return false
  // Blocks of one matrix: their columns may be different ones all the same.
  if (p.lead !== q.lead) return true
  const column = ((distance % p.lead) + p.lead) % p.lead
  return column < p.cols || column + q.cols > p.lead
}
