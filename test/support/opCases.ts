/**
 * The op table: for every op of the library, calls on awkward shapes and the formula each should be.
 */
import { concat, oneHot, stack, type Tensor, where } from '../../lib/index.js'
import { gatherBytes } from '../../lib/ops/indexing.js'
import { crossEntropyPerExample } from '../../lib/ops/softmax.js'
import { warp } from '../../lib/ops/warp.js'
import { defaultFloat } from '../../lib/tensor/defaultFloat.js'
import { binary, each, type OpCase, type Shape, shapes, show, unary } from './opCase.js'
import { convolutions } from './opCasesConv.js'
import { elementwise, prelus } from './opCasesElementwise.js'
import { imageOps } from './opCasesImages.js'
import { movingCases } from './opCasesMoving.js'
import { products } from './opCasesProducts.js'
import { cosines, folds, logsumexps, reductions } from './opCasesReduce.js'
import * as reference from './reference.js'
import { at, build, fold, ints, map, type Nd, positive, sample, total } from './reference.js'

function softmax(x: Nd, axis: number): Nd {
  const e = map(Math.exp, x)
  return map((a, sum) => a / sum, e, fold(total, e, [axis], true))
}

const ranks: Shape[] = [[1], [7], [2, 3], [3, 1], [2, 3, 4], [0, 3]]

function softmaxes(op: 'softmax' | 'logSoftmax', f: (p: number) => number): OpCase[] {
  return [0, -1].flatMap((axis) =>
    each(
      ranks,
      (x) => x[op](axis),
      (x) => map(f, softmax(x, axis < 0 ? x.shape.length - 1 : axis)),
    ),
  )
}

const list = (...values: number[]) => ints([values.length], values)
const rows = (x: Nd, indices: Nd) =>
  build([...indices.shape, ...x.shape.slice(1)], ([i, ...rest]) =>
    at(x, [indices.data[i], ...rest]),
  )

const gathers: OpCase[] = [
  [sample([4, 3]), list(2, 0, 2, 3)],
  [sample([3]), list(1, 1, 1)],
  [sample([2, 2, 2]), list(1)],
  [sample([2, 3]), list()],
].map((inputs) => ({
  name: show(inputs.map((x) => [...x.shape])),
  inputs,
  apply: (x, indices) => x.indexSelect(0, indices),
  expected: rows,
}))

const crossEntropies: OpCase[] = [
  [sample([4, 3]), list(2, 0, 1, 2)],
  [sample([1, 1]), list(0)],
  [sample([3, 7]), list(6, 0, 3)],
  [sample([0, 3]), list()],
].map((inputs) => ({
  name: show(inputs.map((x) => [...x.shape])),
  inputs,
  apply: crossEntropyPerExample,
  expected: (logits, labels) => {
    const p = softmax(logits, 1)
    return build(labels.shape, ([i]) => -Math.log(at(p, [i, labels.data[i]])))
  },
}))

const concats: OpCase[] = [0, 1].map((axis) => ({
  name: `along ${axis}`,
  inputs: [1, 0, 3].map((extent, i) => sample([2, 3].with(axis, extent), i)),
  apply: (...parts) => concat(parts, axis),
  expected: (first, _, last) =>
    build([2, 3].with(axis, 4), (index) =>
      index[axis] < 1 ? at(first, index) : at(last, index.with(axis, index[axis] - 1)),
    ),
}))
concats.push({
  name: 'of one tensor with itself, stacked',
  inputs: [sample([3])],
  apply: (x) => stack([x, x]),
  expected: (x) => build([2, 3], ([, i]) => at(x, [i])),
})

/** Every source pixel has a weight that falls off linearly within one pixel's distance. */
function warped(x: Nd, maps: Nd, shifts: Nd): Nd {
  const [, rows, cols] = x.shape
  const hat = (distance: number) => Math.max(0, 1 - Math.abs(distance))
  return build(x.shape, ([i, r, c]) => {
    const [row, col] = [r - (rows - 1) / 2, c - (cols - 1) / 2]
    const place = (axis: number) =>
      [rows, cols][axis] / 2 -
      0.5 +
      at(maps, [i, 2 * axis]) * row +
      at(maps, [i, 2 * axis + 1]) * col
    const down = place(0) + at(shifts, [i, 0, r, c])
    const right = place(1) + at(shifts, [i, 1, r, c])
    let sum = 0
    for (let p = 0; p < rows; p++) {
      for (let q = 0; q < cols; q++) sum += hat(down - p) * hat(right - q) * at(x, [i, p, q])
    }
    return sum
  })
}

const warps: OpCase[] = [
  [2, 5, 4],
  [1, 1, 1],
  [3, 1, 6],
  [0, 2, 2],
].flatMap(([count, rows, cols]) =>
  [0.25, 4].map((reach) => ({
    name: `${count} images of ${rows} x ${cols}, reach ${reach}`,
    inputs: [
      sample([count, rows, cols]),
      map((v) => v / 4, sample([count, 4], 1)),
      map((v) => v * reach, sample([count, 2, rows, cols], 2)),
    ],
    apply: warp,
    expected: warped,
  })),
)

const compare = (op: string, f: (a: number, b: number) => boolean) => binary(op, (a, b) => +f(a, b))
const step = (shape: Shape, seed = 0) => map((x) => +(x > 0), sample(shape, seed))

/** By the names of the ops in lib/ops/registry.js. */
export const opCases: Record<string, OpCase[]> = {
  add: binary('add', (a, b) => a + b),
  sub: binary('sub', (a, b) => a - b),
  mul: binary('mul', (a, b) => a * b),
  div: binary('div', (a, b) => a / b),
  pow: [
    ...binary('pow', (a, b) => a ** b, positive),
    ...each(
      [[7]],
      (x) => x.pow(3),
      (x) => map((a) => a ** 3, x),
    ),
  ],
  maximum: binary('maximum', Math.max),
  minimum: binary('minimum', Math.min),
  equal: compare('equal', (a, b) => a === b),
  notEqual: compare('notEqual', (a, b) => a !== b),
  less: compare('less', (a, b) => a < b),
  lessEqual: compare('lessEqual', (a, b) => a <= b),
  greater: compare('greater', (a, b) => a > b),
  greaterEqual: compare('greaterEqual', (a, b) => a >= b),
  neg: unary('neg', (x) => -x),
  abs: unary('abs', Math.abs),
  sign: unary('sign', Math.sign),
  exp: unary('exp', Math.exp),
  log: unary('log', Math.log, positive),
  sqrt: unary('sqrt', Math.sqrt, positive),
  square: unary('square', (x) => x * x),
  reciprocal: unary('reciprocal', (x) => 1 / x),
  sin: unary('sin', Math.sin),
  cos: unary('cos', Math.cos),
  softplus: unary('softplus', (x) => Math.log(1 + Math.exp(x))),
  relu: [...unary('relu', (x) => Math.max(x, 0)), ...prelus],
  ...elementwise,
  sigmoid: unary('sigmoid', (x) => 1 / (1 + Math.exp(-x))),
  tanh: unary('tanh', Math.tanh),
  affine: [
    ...each(
      shapes,
      (x) => x.mul(-2.5),
      (x) => map((a) => -2.5 * a, x),
    ),
    ...each(
      shapes,
      (x) => x.add(0.75),
      (x) => map((a) => a + 0.75, x),
    ),
    ...each(
      shapes,
      (x) => x.sub(3),
      (x) => map((a) => a - 3, x),
    ),
  ],
  clip: each(
    shapes,
    (x) => x.clip(-2, 3),
    (x) => map((a) => Math.min(Math.max(a, -2), 3), x),
  ),
  where: [
    [[3], [3], [3]],
    [[], [2, 3], [3]],
    [[2, 1], [3], [1, 3]],
    [[2, 3], [], []],
    [
      [1, 2],
      [0, 2],
      [1, 1],
    ],
  ].map(([c, a, b]) => ({
    name: show([c, a, b]),
    inputs: [sample(a), sample(b, 1)],
    apply: (p, q) => where(reference.toTensorOn(p, step(c)), p, q),
    expected: (p, q) => map((s, x, y) => (s ? x : y), step(c), p, q),
  })),
  reshape: each(
    ranks,
    (x) => x.reshape([1, -1].slice(x.size ? 0 : 1)),
    (x) => ({
      ...x,
      shape: x.data.length ? [1, x.data.length] : [0],
    }),
  ),
  broadcastTo: each(
    [[], [1], [3], [2, 1], [1, 1, 3], [4, 2, 1]],
    (x) => x.broadcastTo([4, 2, 3]),
    (x) => build([4, 2, 3], (index) => at(x, index)),
  ),
  transpose: [
    ...each(
      [[], ...ranks],
      (x) => x.transpose(),
      (x) => reference.permute(x, [...x.shape.keys()].reverse()),
    ),
    ...each(
      [[2, 3, 2, 2]],
      (x) => x.transpose([2, 0, 3, 1]),
      (x) => reference.permute(x, [2, 0, 3, 1]),
    ),
  ],
  concat: concats,
  indexSelect: gathers,
  gatherBytes: [
    {
      name: 'a batch of images',
      inputs: [{ ...build([3, 4], ([i, j]) => 60 * i + j), dtype: 'uint8' }, list(2, 0)],
      apply: (x, indices) => gatherBytes(x, indices, { scale: 0.5 }),
      expected: (x, indices) => map((a) => a / 2, rows(x, indices)),
    },
  ],
  warp: warps,
  oneHot: [list(2, 0), list(), ints([2, 2], [0, 2, 1])].map((labels) => ({
    name: show([[...labels.shape]]),
    inputs: [labels],
    apply: (x) => oneHot(x, 3),
    expected: (x) =>
      build([...x.shape, 3], (index) => +(at(x, index.slice(0, -1)) === index.at(-1))),
  })),
  cast: shapes.map((shape) => ({
    name: show([shape]),
    inputs: [sample(shape)],
    apply: (x) => x.cast(defaultFloat()) as Tensor,
    expected: (x) => x,
  })),
  ...convolutions,
  ...products,
  ...reductions,
  sum: [...folds('sum', total), ...folds('mean', (values) => total(values) / values.length)],
  max: [
    ...logsumexps,
    ...folds('max', (values) => Math.max(...values)),
    ...folds('min', (values) => Math.min(...values)),
  ],
  norm: [...cosines, ...folds('norm', (values) => Math.hypot(...values))],
  argmax: each(
    [[7], [2, 3]],
    (x) => x.argmax(-1) as unknown as Tensor,
    (x) => fold((values) => values.indexOf(Math.max(...values)), x, [x.shape.length - 1]),
  ),
  softmax: softmaxes('softmax', (p) => p),
  logSoftmax: softmaxes('logSoftmax', Math.log),
  softmaxCrossEntropy: crossEntropies,
  ...imageOps,
  ...movingCases,
}
