/** Targets as the network is trained on them, and examples set aside to stop by. */
import { ArgumentError, type Dataset, Generator, subset } from '../../index.js'
import { streams } from '../../internal.js'
import type { Label } from './labels.js'
import type { MLPParameters } from './parameters.js'

/** Targets as the network is trained on them. */
export interface Encoded {
  /** Labels, or values row by row. */
  targets: Int32Array | Float32Array
  /** Units that predict them. */
  outputs: number
  /** What each example counts as where a share of each kind is set aside; all alike by default. */
  kinds?: Int32Array
  /** What they are labels of. */
  classes?: readonly Label[]
}

/**
 * Sets aside the share of the examples to stop by, of each kind its share.
 * @throws ArgumentError when that would be fewer than 2, or all
 */
export function setAside(
  name: string,
  data: Dataset,
  { kinds }: Encoded,
  { validationFraction }: MLPParameters,
  seed: number,
): { train: Dataset; validation: Dataset } {
  const count = Math.ceil(validationFraction * data.size)
  if (count < 2 || count >= data.size) {
    throw new ArgumentError(
      `${name}: expected a validationFraction that sets aside at least 2 of ${data.size} examples, and not all, got ${validationFraction}`,
    )
  }
  const order = new Generator(seed, streams.split).permutation(data.size)
  const rows = [...order.data()]
  order.dispose()
  if (kinds) rows.sort((a, b) => kinds[a] - kinds[b])
  const isHeld = new Set(
    Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * data.size) / count)),
  )
  return {
    train: subset(
      data,
      rows.filter((_, i) => !isHeld.has(i)),
    ),
    validation: subset(
      data,
      rows.filter((_, i) => isHeld.has(i)),
    ),
  }
}
