/**
 * The kernel table: one row per kernel, in kernels/. Everything that crosses the seam between TypeScript and a
 * backend is described here and nowhere else; the native addon is compared with this table when it is
 * loaded. An argument is `name:use` for a number, `name:use:dtype` for a buffer, which is named by its
 * handle:
 *
 * | use     | value                                                       |
 * |---------|-------------------------------------------------------------|
 * | in      | buffer, only read                                           |
 * | out     | buffer, every element of the extent is written              |
 * | inout   | buffer, read and written, and what is not written is kept   |
 * | scratch | buffer to compute in; undefined before and after            |
 * | size    | integer from 0 to 2^53 - 1                                  |
 * | float   | any number                                                  |
 *
 * | dtype         | buffers of                                             |
 * |---------------|--------------------------------------------------------|
 * | int32, uint8… | that dtype                                             |
 * | F             | float32 or float64; all F of one call are the same     |
 * | N             | these or int32; all N of one call are the same         |
 * | T             | any dtype; all T of one call are the same              |
 * | S             | any dtype, whatever T is                               |
 *
 * Elementwise kernels may write over one of their inputs; all others need results apart from
 * everything else. A backend may lack dtypes of F, N or T; it then refuses the call.
 */

import { activations } from './kernels/activations.js'
import { adaptive } from './kernels/adaptive.js'
import { conv } from './kernels/conv.js'
import { distance } from './kernels/distance.js'
import { elementwise } from './kernels/elementwise.js'
import { gather } from './kernels/gather.js'
import { images } from './kernels/images.js'
import { layout } from './kernels/layout.js'
import { norm } from './kernels/norm.js'
import { optim } from './kernels/optim.js'
import { order } from './kernels/order.js'
import { pool } from './kernels/pool.js'
import { products } from './kernels/products.js'
import { random } from './kernels/random.js'
import { reduce } from './kernels/reduce.js'
import { softmax } from './kernels/softmax.js'

declare const handleBrand: unique symbol
/** Names a buffer of a backend: slot and generation in one number, so that a stale one is noticed. */
export type Handle = number & { readonly [handleBrand]: true }

export const kernels = {
  ...products,
  ...conv,
  ...elementwise,
  ...activations,
  ...layout,
  ...reduce,
  ...softmax,
  ...gather,
  ...random,
  ...order,
  ...distance,
  ...optim,
  ...adaptive,
  ...images,
  ...pool,
  ...norm,
} as const satisfies Record<string, readonly string[]>

export type KernelName = keyof typeof kernels

type ArgumentOf<Row extends string> = Row extends `${string}:${'size' | 'float'}` ? number : Handle
type ArgumentsOf<Rows extends readonly string[]> = {
  [I in keyof Rows]: Rows[I] extends string ? ArgumentOf<Rows[I]> : never
}
/** Arguments of one kernel, in the order of its row. */
export type KernelArgs<K extends KernelName> = ArgumentsOf<(typeof kernels)[K]>

type NameOf<Row extends string> = Row extends `${infer Name}:${string}` ? Name : never
/** The same by name; buffers by whatever stands for them, a handle or a position in a tape. */
export type NamedArgs<K extends KernelName> = {
  [Row in (typeof kernels)[K][number] as NameOf<Row>]: number
}

/** The row as one string, which is what the addon reports of itself. */
export function signature(kernel: KernelName): string {
  return kernels[kernel].join(' ')
}
