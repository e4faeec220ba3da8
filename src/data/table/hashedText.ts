/**
 * Text as a bag of hashed words: as scikit-learn's HashingVectorizer with its defaults, but for the number of
 * inputs.
 */

/** Runs of two letters, digits or underscores and more: `\b\w\w+\b` of Python's. */
const WORD = /[\p{L}\p{N}_]{2,}/gu
const encoder = new TextEncoder()

/** Hashes from 2^31 on count as negative, as those of scikit-learn do. */
const SMALLEST = -(2 ** 31)

/**
 * What a text puts into its inputs: for each word of it, in lower case, 1 at the position of its hash or -1,
 * by the sign of the hash; the sum is divided by its length (L2).
 * @param bits there are 2^bits inputs
 */
export function hashText(text: string, bits: number): Map<number, number> {
  const width = 2 ** bits
  const counts = new Map<number, number>()
  for (const word of text.toLowerCase().match(WORD) ?? []) {
    const hash = murmur3(encoder.encode(word))
    const position =
      hash === SMALLEST ? (2 ** 31 - 1 - (width - 1)) % width : Math.abs(hash) % width
    counts.set(position, (counts.get(position) ?? 0) + (hash >= 0 ? 1 : -1))
  }
  const squares = [...counts.values()].reduce((sum, count) => sum + count * count, 0)
  const length = Math.sqrt(squares) || 1
  for (const [position, count] of counts) counts.set(position, count / length)
  return counts
}

/** MurmurHash3_x86_32 of Austin Appleby with the seed 0, as an int32. */
export function murmur3(bytes: Uint8Array): number {
  const { length } = bytes
  const tail = length & ~3
  let h = 0
  for (let i = 0; i < tail; i += 4) {
    h ^= scrambled(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24))
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64
  }
  let k = 0
  for (let i = length - 1; i >= tail; i--) k = (k << 8) | bytes[i]
  if (tail < length) h ^= scrambled(k)
  h ^= length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

function scrambled(k: number): number {
  const mixed = Math.imul(k, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}
