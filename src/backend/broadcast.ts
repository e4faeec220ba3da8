/**
 * Masks of the binary kernels: along which of the levels n0, n1, n2 an operand moves on. Along the
 * others it is repeated.
 */
export const ALONG_N0 = 1
export const ALONG_N1 = 2
export const ALONG_N2 = 4
export const ALONG_ALL = ALONG_N0 | ALONG_N1 | ALONG_N2

/** A row that is repeated for every row of a matrix, n0 being 1. */
export const ALONG_ROW = ALONG_N0 | ALONG_N2

/** The mask of an operand that moves along some of the levels. */
export function maskOf(moves: readonly [n0: boolean, n1: boolean, n2: boolean]): number {
  const [n0, n1, n2] = moves
  return (n0 ? ALONG_N0 : 0) | (n1 ? ALONG_N1 : 0) | (n2 ? ALONG_N2 : 0)
}

/** Whether b is a row that is repeated for every row of a matrix a. */
export function isRowForEach({ n0, aMask, bMask }: Record<'n0' | 'aMask' | 'bMask', number>) {
  return n0 === 1 && aMask === ALONG_ALL && (bMask & (ALONG_N1 | ALONG_N2)) === ALONG_N2
}
