/** Which rows of a table are to be tested on, decided row by row: nothing is held. */

/** What a row is for. */
export const [TRAIN, TEST, LEFT_OUT] = [0, 1, 2]

/**
 * What so many rows are for, from a row on: `TEST` for about that share of them, the same for the same seed.
 * Whether a row is one depends on its number and the seed alone.
 */
export function partsOfRows(
  first: number,
  rows: number,
  testFraction: number,
  seed: number,
): Uint8Array {
  const key = mix(mix(seed % 2 ** 32) ^ Math.floor(seed / 2 ** 32))
  const end = testFraction * 2 ** 32
  const parts = new Uint8Array(rows)
  for (let i = 0; i < rows; i++) {
    const row = first + i
    const drawn = mix(mix(Math.floor(row / 2 ** 32) ^ key) ^ (row % 2 ** 32))
    parts[i] = drawn < end ? TEST : TRAIN
  }
  return parts
}

/** The last steps of MurmurHash3 (Appleby 2011), after which all 32 bits depend on all that went in. */
function mix(bits: number): number {
  let h = bits | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
