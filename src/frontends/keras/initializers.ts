/** Initial weights as Keras names and draws them. */
import { type Generator, init, type Shape, type Tensor, tensor } from '../../index.js'
import { sizeOf } from '../../internal.js'
import type { Named } from './names.js'

// Standard deviation of a normal distribution that is cut off at two of its own.
const STD_OF_TRUNCATED = 0.87962566103423978

/** Normal with this variance, without the values beyond two standard deviations of what is drawn from. */
function truncated(variance: (fanIn: number, fanOut: number) => number): init.Initializer {
  return (shape: Shape, generator?: Generator): Tensor => {
    const { fanIn, fanOut } = init.fans(shape)
    const std = Math.sqrt(variance(fanIn, fanOut)) / STD_OF_TRUNCATED
    const values = new Float64Array(sizeOf(shape))
    for (let count = 0; count < values.length; ) {
      const drawn = init.normal(0, 1)([values.length - count], generator)
      for (const z of drawn.data()) if (Math.abs(z) <= 2) values[count++] = std * z
      drawn.dispose()
    }
    return tensor(values, shape)
  }
}

export const initializers = {
  zeros: init.zeros,
  glorotUniform: init.glorotUniform,
  glorotNormal: truncated((fanIn, fanOut) => 2 / (fanIn + fanOut)),
  heUniform: init.heUniform,
  heNormal: truncated((fanIn) => 2 / fanIn),
  lecunUniform: init.lecunUniform,
  lecunNormal: truncated((fanIn) => 1 / fanIn),
  orthogonal: init.orthogonal(),
  randomUniform: init.uniform(-0.05, 0.05),
  randomNormal: init.normal(0, 0.05),
} satisfies Record<string, init.Initializer>
/**
 * Initial weights by name, also in snake_case: `zeros`, `glorotUniform`, `heUniform`, `lecunUniform`,
 * `glorotNormal`, `heNormal` and `lecunNormal` (cut off at two standard deviations), `orthogonal`,
 * `randomUniform` (±0.05) and `randomNormal` (standard deviation 0.05).
 *
 * @useDeclaredType
 */
export type InitializerName = Named<keyof typeof initializers>
