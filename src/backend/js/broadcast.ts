/** Loops over two operands, either of which may be repeated; see `binary` in backend/kernels/elementwise.ts. */
import { ALONG_ALL, ALONG_N0, ALONG_N1, ALONG_N2 } from '../broadcast.js'
import type { Floats } from './kernel.js'

/** y[k + t] = a[i + t·di] ∘ b[j + t·dj] for t below n; di and dj are 0 or 1. */
type Line<In, Y> = (
  a: In,
  i: number,
  di: number,
  b: In,
  j: number,
  dj: number,
  y: Y,
  k: number,
  n: number,
) => void

/** The walk over n0 × n1 × n2 elements, line by line. */
export function broadcast<In, Y = Floats>(line: Line<In, Y>) {
  return (
    a: In,
    b: In,
    y: Y,
    n0: number,
    n1: number,
    n2: number,
    aMask: number,
    bMask: number,
  ): void => {
    // Lines run along the last dimension that has more than one element.
    while (n2 === 1 && n0 * n1 > 1) {
      n2 = n1
      n1 = n0
      n0 = 1
      aMask = (aMask << 1) & ALONG_ALL
      bMask = (bMask << 1) & ALONG_ALL
    }
    const [aPlane, aRow, aStep] = steps(n1, n2, aMask)
    const [bPlane, bRow, bStep] = steps(n1, n2, bMask)
    let k = 0
    for (let p = 0; p < n0; p++) {
      for (let r = 0; r < n1; r++) {
        line(a, p * aPlane + r * aRow, aStep, b, p * bPlane + r * bRow, bStep, y, k, n2)
        k += n2
      }
    }
  }
}

/** From one plane, row and element of an operand to the next; 0 where it is repeated. */
function steps(n1: number, n2: number, mask: number): [number, number, number] {
  const row = mask & ALONG_N2 ? n2 : 1
  const plane = mask & ALONG_N1 ? n1 * row : row
  return [mask & ALONG_N0 ? plane : 0, mask & ALONG_N1 ? row : 0, mask & ALONG_N2 ? 1 : 0]
}
