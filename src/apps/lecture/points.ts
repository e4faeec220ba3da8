/** Points in the plane to classify, for the experiments that draw them. */
import { type Dataset, dataset, Generator } from 'neuroblas'

// lecture:begin
/** The corners of a square, in the order of a truth table's rows. */
const CORNERS = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
]

/**
 * Points scattered around the corners of a square (-1 is false, 1 is true), each corner labelled by
 * its row of a truth table: [0, 1, 1, 0] is XOR.
 * @param count points per corner
 * @param std how far they scatter
 */
export function corners(table: readonly number[], count: number, std: number, seed = 0): Dataset {
  const noise = new Generator(seed).normal([4 * count, 2], 0, std).data()
  return dataset({
    inputs: Float32Array.from(noise, (value, i) => CORNERS[(i >> 1) % 4][i % 2] + value),
    inputShape: [2],
    targets: Int32Array.from({ length: 4 * count }, (_, i) => table[i % 4]),
  })
}
// lecture:end
