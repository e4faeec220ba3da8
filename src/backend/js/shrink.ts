/** The proximal step of L1, which optimizers take after their own. */
import type { Floats } from './kernel.js'

/** w = sign(w)·max(|w| - by, 0), where there is something to take. */
export function shrink(w: Floats, n: number, by: number): void {
  if (!(by > 0)) return
  for (let i = 0; i < n; i++) {
    const v = w[i]
    w[i] = v > by ? v - by : v < -by ? v + by : Number.isNaN(v) ? v : 0
  }
}
