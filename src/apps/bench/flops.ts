/** How many operations the products of a step are. */
import type { Case } from './cases.js'
import { imageFlopsOf } from './networks.js'
import { productsOf } from './products.js'

/** Floating-point operations of the products of a step; undefined where they are not what counts. */
export function flopsOf(c: Case): number | undefined {
  switch (c.kind) {
    case 'training':
      return productsOf(c).reduce((sum, { m, n, k }) => sum + 2 * m * n * k, 0)
    case 'images':
      return imageFlopsOf(c.layers, c.image, c.batch)
    case 'product':
      return 2 * c.batch * c.m * c.n * c.k
    default:
      return undefined
  }
}
