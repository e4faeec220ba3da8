/** Dropout (Srivastava et al. 2014): leaves out random units while training. */
import { noteRead, noteSet } from '../backend/record.js'
import { checkNumber } from '../base/arguments.js'
import { requireTensor } from '../ops/require.js'
import { checkGenerator, defaultGenerator, type Generator } from '../tensor/random.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/**
 * While training, each element becomes 0 with probability p and else x / (1 - p), so that its
 * expectation is x (inverted dropout; Srivastava et al. 2014); otherwise x as it is.
 * @throws ArgumentError when p is not from 0 to below 1
 */
export class Dropout extends Module {
  /** Draws the masks. */
  readonly generator: Generator
  #p = 0

  /**
   * Dropout with a probability.
   * @param p probability of dropping
   * @param generator draws the masks; by default one of its own, seeded by the default generator
   */
  constructor(p = 0.5, generator?: Generator) {
    super()
    if (generator !== undefined) checkGenerator('Dropout', generator)
    this.p = p
    this.generator = generator ?? defaultGenerator().fork()
  }

  /** Probability of dropping an element, from 0 to below 1; a new one counts from the next batch. */
  get p(): number {
    noteRead(this, 'p', this.#p)
    return this.#p
  }

  /** Throws ArgumentError when it is out of range. */
  set p(p: number) {
    checkNumber('Dropout', 'p', p, (p) => p >= 0 && p < 1, 'from 0 to below 1')
    noteSet(this, 'p', this.#p)
    this.#p = p
  }

  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    const { p } = this
    if (!this.training || p === 0) return x
    const keep = 1 - p
    return x.mul(this.generator.bernoulli(x.shape, keep).mul(1 / keep))
  }
}
