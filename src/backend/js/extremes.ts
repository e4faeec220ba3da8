/** The smallest along the middle dimension of x [outer, length, inner], and places by comparison alone. */
import { KernelError } from '../../base/errors.js'
import type { JsKernel } from './kernel.js'

function refuseEmpty(kernel: string, outer: number, length: number, inner: number): void {
  if (length === 0 && outer > 0 && inner > 0) {
    throw new KernelError(`${kernel}: length must be at least 1: there is none of nothing`)
  }
}

export const min: JsKernel<'min'> = (x, y, outer, length, inner) => {
  refuseEmpty('min', outer, length, inner)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let at = o * length * inner + i
      let smallest = x[at]
      for (let r = 1; r < length; r++) {
        at += inner
        if (x[at] < smallest || Number.isNaN(x[at])) smallest = x[at]
      }
      y[o * inner + i] = smallest
    }
  }
}

/** Of the first element, or of the last that took the place of one before it. */
function placeInOrder(
  kernel: 'argmaxInOrder' | 'argminInOrder',
  takes: (x: number, before: number) => boolean,
): JsKernel<typeof kernel> {
  return (x, y, outer, length, inner) => {
    refuseEmpty(kernel, outer, length, inner)
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const first = o * length * inner + i
        let place = 0
        for (let r = 1; r < length; r++) {
          if (takes(x[first + r * inner], x[first + place * inner])) place = r
        }
        y[o * inner + i] = place
      }
    }
  }
}

export const argmaxInOrder = placeInOrder('argmaxInOrder', (x, before) => x > before)
export const argminInOrder = placeInOrder('argminInOrder', (x, before) => x < before)
