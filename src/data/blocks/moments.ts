/**
 * Figures of numbers that come in batches, by sums of deviations that are merged: Chan, Golub & LeVeque 1983,
 * "Algorithms for computing the sample variance".
 */
import type { Figures } from '../table/figures.js'

export class Moments {
  #count = 0
  #mean = 0
  /** Σ (x - mean)² */
  #squares = 0
  #min = Infinity
  #max = -Infinity

  /** Adds those that `read` gives of the numbers at these positions; NaN does not count. */
  add(
    values: ArrayLike<number>,
    positions: ArrayLike<number>,
    read?: (value: number) => number,
  ): void {
    const own = new Moments()
    let sum = 0
    for (let i = 0; i < positions.length; i++) {
      const given = values[positions[i]]
      const value = read ? read(given) : given
      if (Number.isNaN(value)) continue
      own.#count++
      sum += value
      if (value < own.#min) own.#min = value
      if (value > own.#max) own.#max = value
    }
    if (own.#count === 0) return
    own.#mean = sum / own.#count
    for (let i = 0; i < positions.length; i++) {
      const given = values[positions[i]]
      const value = read ? read(given) : given
      if (!Number.isNaN(value)) own.#squares += (value - own.#mean) ** 2
    }
    this.merge(own)
  }

  merge(other: Moments): void {
    const count = this.#count + other.#count
    if (count === 0) return
    const difference = other.#mean - this.#mean
    this.#squares += other.#squares + (difference * difference * this.#count * other.#count) / count
    this.#mean += (difference * other.#count) / count
    this.#count = count
    this.#min = Math.min(this.#min, other.#min)
    this.#max = Math.max(this.#max, other.#max)
  }

  /** As those of a column in memory, to rounding. */
  get figures(): Figures {
    const std = Math.sqrt(this.#squares / (this.#count || 1))
    return { mean: this.#mean, std, min: this.#min, max: this.#max }
  }

  get count(): number {
    return this.#count
  }
}
