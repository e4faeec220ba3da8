/** Which rows of a table are to be tested on, decided row by row: nothing is held. */
import type { TableSplit } from '../table/splitTable.js'

/** What a row is for. */
export const [TRAIN, TEST, LEFT_OUT, VALIDATION] = [0, 1, 2, 3]

/** The shares of the parts. */
export interface Shares {
  readonly testFraction: number
  /** None by default. */
  readonly validationFraction?: number
  readonly seed: number
}

/** A split that is decided row by row: by a hash, or by a time from which on rows are those to test on. */
export type RowSplit = TableSplit & ({ readonly by: 'hash' } | { readonly from: number })

/** Whether a split is one. */
export function isRowSplit(split: TableSplit): split is RowSplit {
  return split.by === 'hash' || split.from !== undefined
}

/** What decides about a row beside its number: the value of a column there. */
type KeyAt = (row: number) => string | number

/**
 * What so many rows are for, from a row on: `TEST` for about that share of them, the same for the same seed.
 * Whether a row is one depends on its number and the seed alone, or on its key in place of the number.
 */
export function partsOfRows(
  first: number,
  rows: number,
  { testFraction, validationFraction = 0, seed }: Shares,
  keyAt?: KeyAt,
): Uint8Array {
  const key = mix(mix(seed % 2 ** 32) ^ Math.floor(seed / 2 ** 32))
  const end = testFraction * 2 ** 32
  const validationEnd = (testFraction + validationFraction) * 2 ** 32
  const drawn = (row: number) => mix(mix(Math.floor(row / 2 ** 32) ^ key) ^ (row % 2 ** 32))
  const drawnBy = keyAt && hashed(key, keyAt)
  const parts = new Uint8Array(rows)
  for (let i = 0; i < rows; i++) {
    const value = drawnBy ? drawnBy(i) : drawn(first + i)
    parts[i] = value < end ? TEST : value < validationEnd ? VALIDATION : TRAIN
  }
  return parts
}

/** What rows of these times are for. @param validFrom of rows to validate by, up to `from` */
export function partsOfTimes(
  rows: number,
  { from, validFrom = from }: { readonly from: number; readonly validFrom?: number },
  timeAt: (row: number) => number,
): Uint8Array {
  return Uint8Array.from({ length: rows }, (_, row) => {
    const time = timeAt(row)
    return time >= from ? TEST : time >= validFrom ? VALIDATION : TRAIN
  })
}

/** The last steps of MurmurHash3 (Appleby 2011), after which all 32 bits depend on all that went in. */
function mix(bits: number): number {
  let h = bits | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Keys come again and again: each is hashed once. 7 and '7' are one. */
function hashed(seed: number, keyAt: KeyAt): (row: number) => number {
  const known = new Map<string | number, number>()
  return (row) => {
    const key = keyAt(row)
    let hash = known.get(key)
    if (hash === undefined) {
      hash = seed
      for (const letter of `${key}`) hash = mix(hash ^ (letter.codePointAt(0) as number))
      known.set(key, hash)
    }
    return hash
  }
}
