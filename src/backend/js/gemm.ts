/**
 * Products of matrices and vectors, row-major: the blocking of GotoBLAS (Goto and van de Geijn,
 * 2008) in scalar doubles. Both operands are packed into panels of 4 as doubles, which costs one
 * pass each, makes all four transposes the same loop and takes the conversion from float32 out of
 * that loop; a 4×4 tile of the result is kept in registers.
 */
import type { Floats } from './kernel.js'

const TILE = 4
// One panel of each operand (8 KiB) stays in the first cache level, a block of a in the second.
const BLOCK_K = 256
const BLOCK_M = 64
const BLOCK_N = 512

const packedA = new Float64Array(BLOCK_M * BLOCK_K)
const packedB = new Float64Array(BLOCK_N * BLOCK_K)
const tile = new Float64Array(TILE * TILE)
let sums = new Float64Array(1024)

/** c = alpha·op(a)·op(b) + beta·c for op(a) [m, k], op(b) [k, n] and c [m, n], all in rows. */
export function multiply(
  a: Floats,
  b: Floats,
  c: Floats,
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  beta: number,
): void {
  scale(c, m * n, beta)
  if (alpha === 0 || m === 0 || n === 0 || k === 0) return
  if (k === 1) {
    addOuterProduct(a, b, c, m, n, alpha)
  } else if (m === 1) {
    if (transB) addRowsTimesVector(b, a, c, n, k, alpha)
    else addVectorTimesRows(b, a, c, n, k, alpha)
  } else if (n === 1) {
    if (transA) addVectorTimesRows(a, b, c, m, k, alpha)
    else addRowsTimesVector(a, b, c, m, k, alpha)
  } else {
    addProduct(a, b, c, transA, transB, m, n, k, alpha)
  }
}

// Zeros for beta = 0, whatever c held.
function scale(c: Floats, size: number, beta: number): void {
  if (beta === 0) c.fill(0, 0, size)
  else if (beta !== 1) for (let i = 0; i < size; i++) c[i] *= beta
}

function addProduct(
  a: Floats,
  b: Floats,
  c: Floats,
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
): void {
  // Steps from one row of op(a) (column of op(b)) to the next, and along k.
  const [aStep, aDepth] = transA ? [1, m] : [k, 1]
  const [bStep, bDepth] = transB ? [k, 1] : [1, n]
  for (let j = 0; j < n; j += BLOCK_N) {
    const cols = Math.min(BLOCK_N, n - j)
    for (let p = 0; p < k; p += BLOCK_K) {
      const depth = Math.min(BLOCK_K, k - p)
      pack(b, j * bStep + p * bDepth, bStep, bDepth, cols, depth, packedB)
      for (let i = 0; i < m; i += BLOCK_M) {
        const rows = Math.min(BLOCK_M, m - i)
        pack(a, i * aStep + p * aDepth, aStep, aDepth, rows, depth, packedA)
        addBlock(c, i * n + j, n, rows, cols, depth, alpha)
      }
    }
  }
}

// Panels of 4 lines (rows of op(a) or columns of op(b)), element by element along the depth; lines
// missing in the last panel become zeros.
function pack(
  x: Floats,
  offset: number,
  step: number,
  depthStep: number,
  lines: number,
  depth: number,
  packed: Float64Array,
): void {
  let to = 0
  for (let line = 0; line < lines; line += TILE) {
    let from = offset + line * step
    if (line + TILE <= lines) {
      for (let p = 0; p < depth; p++) {
        packed[to] = x[from]
        packed[to + 1] = x[from + step]
        packed[to + 2] = x[from + 2 * step]
        packed[to + 3] = x[from + 3 * step]
        to += TILE
        from += depthStep
      }
    } else {
      const rest = lines - line
      packed.fill(0, to, to + TILE * depth)
      for (let p = 0; p < depth; p++) {
        for (let l = 0; l < rest; l++) packed[to + l] = x[from + l * step]
        to += TILE
        from += depthStep
      }
    }
  }
}

function addBlock(
  c: Floats,
  offset: number,
  stride: number,
  rows: number,
  cols: number,
  depth: number,
  alpha: number,
): void {
  for (let j = 0; j < cols; j += TILE) {
    const width = Math.min(TILE, cols - j)
    for (let i = 0; i < rows; i += TILE) {
      multiplyTile(i * depth, j * depth, depth)
      const height = Math.min(TILE, rows - i)
      for (let r = 0; r < height; r++) {
        const row = offset + (i + r) * stride + j
        for (let s = 0; s < width; s++) c[row + s] += alpha * tile[r * TILE + s]
      }
    }
  }
}

function multiplyTile(aOffset: number, bOffset: number, depth: number): void {
  const a = packedA
  const b = packedB
  let c00 = 0
  let c01 = 0
  let c02 = 0
  let c03 = 0
  let c10 = 0
  let c11 = 0
  let c12 = 0
  let c13 = 0
  let c20 = 0
  let c21 = 0
  let c22 = 0
  let c23 = 0
  let c30 = 0
  let c31 = 0
  let c32 = 0
  let c33 = 0
  let j = bOffset
  const end = aOffset + TILE * depth
  for (let i = aOffset; i < end; i += TILE) {
    const b0 = b[j]
    const b1 = b[j + 1]
    const b2 = b[j + 2]
    const b3 = b[j + 3]
    const a0 = a[i]
    c00 += a0 * b0
    c01 += a0 * b1
    c02 += a0 * b2
    c03 += a0 * b3
    const a1 = a[i + 1]
    c10 += a1 * b0
    c11 += a1 * b1
    c12 += a1 * b2
    c13 += a1 * b3
    const a2 = a[i + 2]
    c20 += a2 * b0
    c21 += a2 * b1
    c22 += a2 * b2
    c23 += a2 * b3
    const a3 = a[i + 3]
    c30 += a3 * b0
    c31 += a3 * b1
    c32 += a3 * b2
    c33 += a3 * b3
    j += TILE
  }
  tile[0] = c00
  tile[1] = c01
  tile[2] = c02
  tile[3] = c03
  tile[4] = c10
  tile[5] = c11
  tile[6] = c12
  tile[7] = c13
  tile[8] = c20
  tile[9] = c21
  tile[10] = c22
  tile[11] = c23
  tile[12] = c30
  tile[13] = c31
  tile[14] = c32
  tile[15] = c33
}

// c += alpha·a·bᵀ, the weight gradient of one example. a: [m], b: [n]
function addOuterProduct(a: Floats, b: Floats, c: Floats, m: number, n: number, alpha: number) {
  for (let i = 0; i < m; i++) {
    const factor = alpha * a[i]
    const row = i * n
    for (let j = 0; j < n; j++) c[row + j] += factor * b[j]
  }
}

// c += alpha·x·v, four rows at a time. x: [rows, length]
function addRowsTimesVector(
  x: Floats,
  v: Floats,
  c: Floats,
  rows: number,
  length: number,
  alpha: number,
): void {
  let r = 0
  for (; r + 4 <= rows; r += 4) {
    const i0 = r * length
    const i1 = i0 + length
    const i2 = i1 + length
    const i3 = i2 + length
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    for (let p = 0; p < length; p++) {
      const value = v[p]
      s0 += x[i0 + p] * value
      s1 += x[i1 + p] * value
      s2 += x[i2 + p] * value
      s3 += x[i3 + p] * value
    }
    c[r] += alpha * s0
    c[r + 1] += alpha * s1
    c[r + 2] += alpha * s2
    c[r + 3] += alpha * s3
  }
  for (; r < rows; r++) {
    const row = r * length
    let sum = 0
    for (let p = 0; p < length; p++) sum += x[row + p] * v[p]
    c[r] += alpha * sum
  }
}

// c += alpha·v·x, four rows at a time. x: [length, n]
function addVectorTimesRows(
  x: Floats,
  v: Floats,
  c: Floats,
  n: number,
  length: number,
  alpha: number,
): void {
  if (sums.length < n) sums = new Float64Array(n)
  const y = sums
  y.fill(0, 0, n)
  let p = 0
  for (; p + 4 <= length; p += 4) {
    const v0 = v[p]
    const v1 = v[p + 1]
    const v2 = v[p + 2]
    const v3 = v[p + 3]
    const i0 = p * n
    const i1 = i0 + n
    const i2 = i1 + n
    const i3 = i2 + n
    for (let j = 0; j < n; j++) {
      y[j] += v0 * x[i0 + j] + v1 * x[i1 + j] + v2 * x[i2 + j] + v3 * x[i3 + j]
    }
  }
  for (; p < length; p++) {
    const value = v[p]
    const row = p * n
    for (let j = 0; j < n; j++) y[j] += value * x[row + j]
  }
  for (let j = 0; j < n; j++) c[j] += alpha * y[j]
}
