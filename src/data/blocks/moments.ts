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

  /** Adds the numbers at these positions; NaN does not count. */
  add(values: ArrayLike<number>, positions: ArrayLike<number>): void {
    let [count, sum, min, max, squares] = [0, 0, Infinity, -Infinity, 0]
    for (let i = 0; i < positions.length; i++) {
      const value = values[positions[i]]
      if (Number.isNaN(value)) continue
      count++
      sum += value
      if (value < min) min = value
      if (value > max) max = value
    }
    if (count === 0) return
    const mean = sum / count
    for (let i = 0; i < positions.length; i++) {
      const value = values[positions[i]]
      if (!Number.isNaN(value)) squares += (value - mean) ** 2
    }
    const own = new Moments()
    own.#count = count
    own.#mean = mean
    own.#squares = squares
    own.#min = min
    own.#max = max
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
