// Random shapes and tensors that depend on a seed alone.

/** Marsaglia (2003), Xorshift RNGs: numbers from 0 to below 1. */
function xorshift(seed) {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1)

const MOST_ELEMENTS = 20_000

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array }

export class Draw {
  constructor(seed) {
    this.next = xorshift(seed)
  }

  chance(p) {
    return this.next() < p
  }

  int(low, high) {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  pick(list) {
    return list[this.int(0, list.length - 1)]
  }

  /** Extents up to `most`, many of them 1 and a few 0, of MOST_ELEMENTS at most. */
  shape(rank, most) {
    let room = MOST_ELEMENTS
    return Array.from({ length: rank }, () => {
      if (this.chance(0.2)) return 1
      if (this.chance(0.02)) return 0
      const extent = this.int(1, Math.min(most, room))
      room = Math.floor(room / extent)
      return extent
    })
  }

  /** The shape with some of its extents repeated, and some of its first axes left out. */
  thinned(shape) {
    const thin = shape.map((extent) => (this.chance(0.4) ? 1 : extent))
    return thin.slice(this.int(0, thin.length))
  }

  /** Numbers around 0, or positive ones; of `specials`, some NaN, infinite or 0. */
  floats(shape, { positive = false, specials = false } = {}) {
    const value = () => {
      if (specials && this.chance(0.1)) return this.pick([Number.NaN, Infinity, -Infinity, 0, -0])
      if (this.chance(0.05)) return 0
      return positive ? this.next() + 0.1 : this.next() * 4 - 2
    }
    return this.tensor('float32', shape, value)
  }

  ints(shape, low = -9, high = 9) {
    return this.tensor('int32', shape, () => this.int(low, high))
  }

  /** Whole numbers that float32 does not hold. */
  large(shape) {
    return this.tensor('int32', shape, () => this.int(-(2 ** 30), 2 ** 30) | 1)
  }

  bools(shape) {
    return this.tensor('bool', shape, () => this.int(0, 1))
  }

  tensor(dtype, shape, value) {
    return { dtype, shape, values: arrays[dtype].from({ length: sizeOf(shape) }, value) }
  }
}
