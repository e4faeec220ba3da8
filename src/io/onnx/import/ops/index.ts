/** Every operator that can be computed, by its name; those of other domains with theirs before it. */
import type { Operators } from '../call.js'
import { activations } from './activations.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { linear } from './linear.js'
import { ml } from './ml.js'
import { norms } from './norms.js'
import { products } from './products.js'
import { reductions } from './reduce.js'
import { resizing } from './resize.js'
import { shapes } from './shapes.js'
import { windows } from './windows.js'

export const operators: Operators = {
  ...activations,
  ...elementwise,
  ...indexing,
  ...linear,
  ...ml,
  ...norms,
  ...products,
  ...reductions,
  ...resizing,
  ...shapes,
  ...windows,
}
