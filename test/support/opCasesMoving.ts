/**
 * Rows of the op table: what moves elements, picks and writes them by index, goes along an axis in
 * order, and distances.
 */
import { cdist, type Tensor } from '../../lib/index.js'
import { each, type OpCase, type Shape, show } from './opCase.js'
import { at, build, indices, ints, map, type Nd, sample } from './reference.js'

const matrices: Shape[] = [
  [3, 4],
  [4, 3],
  [2, 3, 3],
  [1, 1],
  [0, 2],
]
const axes: [Shape, number][] = [
  [[5], 0],
  [[3, 4], 0],
  [[3, 4], 1],
  [[2, 3, 2], 1],
  [[0, 2], 1],
]

/** y[i] = x[from(i)], or 0 where there is no such place. */
const moved =
  (shapeOf: (shape: Shape) => Shape, from: (i: Shape, shape: Shape) => Shape | undefined) =>
  (x: Nd): Nd =>
    build(shapeOf([...x.shape]), (i) => {
      const place = from(i, [...x.shape])
      return place === undefined ? 0 : at(x, place)
    })
const sameShape = (shape: Shape) => shape

const slices: OpCase[] = [
  ...each(
    [[7], [3, 2]],
    (x) => x.slice([1, 3]),
    moved(
      (shape) => shape.with(0, 2),
      (i) => i.with(0, i[0] + 1),
    ),
  ),
  ...each(
    [[3, 4]],
    (x) => x.slice([-2], [1, -1]),
    (x) => build([2, 2], ([i, j]) => at(x, [i + 1, j + 1])),
  ),
  ...each(
    [[3, 4]],
    (x) => x.slice([2, 2]),
    () => build([0, 4], () => 0),
  ),
  ...each(
    [[7, 4, 3]],
    (x) => x.slice([1, undefined, 2], [undefined, undefined, -3], [-1, 0, -1]),
    (x) => build([3, 2, 2], ([i, j, k]) => at(x, [1 + 2 * i, 3 - 3 * j, 2 - k])),
  ),
  ...each(
    [[], [3, 2], [0, 2]],
    (x) => x.slice(),
    (x) => x,
  ),
  ...each(
    [[5], [3, 4], [2, 1, 3], [0, 2]],
    (x) => x.flip(-1),
    moved(sameShape, (i, shape) => i.with(-1, shape.at(-1)! - 1 - i.at(-1)!)),
  ),
  ...each(
    [[], [2, 3, 2]],
    (x) => x.flip(),
    moved(sameShape, (i, shape) => i.map((place, axis) => shape[axis] - 1 - place)),
  ),
  ...each(
    matrices,
    (x) => x.diagonal(1, -2, -1),
    moved(
      (shape) => [...shape.slice(0, -2), Math.max(Math.min(shape.at(-2)!, shape.at(-1)! - 1), 0)],
      (i) => [...i, i.at(-1)! + 1],
    ),
  ),
  ...each(
    [[3, 2, 4]],
    (x) => x.diagonal(-1, 2, 0),
    // x[j, k, i] with i - j = 1 is on the diagonal -1 of the axes 2 and 0.
    moved(
      () => [2, 3],
      ([k, d]) => [d, k, d + 1],
    ),
  ),
]

const pads: OpCase[] = [
  ...each(
    [[5], [2, 3], [1, 2, 2], [0, 3]],
    (x, shape) => x.pad(shape.map((_, axis) => [axis, 2])),
    moved(
      (shape) => shape.map((extent, axis) => extent + axis + 2),
      (i, shape) => {
        const place = i.map((n, axis) => n - axis)
        return place.every((n, axis) => n >= 0 && n < shape[axis]) ? place : undefined
      },
    ),
  ),
  ...each(
    [[]],
    (x) => x.pad([]),
    (x) => x,
  ),
  ...each(
    [[3], [1], [0]],
    (x) => x.diag(-2),
    moved(
      ([n]) => [n + 2, n + 2],
      ([i, j]) => (i - j === 2 ? [j] : undefined),
    ),
  ),
]

const rolls: OpCase[] = [
  ...axes.flatMap(([shape, axis]) =>
    [1, -3, 7, 0].flatMap((shift) =>
      each(
        [shape],
        (x) => x.roll(shift, axis),
        moved(sameShape, (i) => {
          const extent = shape[axis]
          return i.with(axis, (((i[axis] - shift) % extent) + extent) % extent)
        }),
      ),
    ),
  ),
  ...each(
    [[2, 3]],
    (x) => x.roll(4),
    (x) => ({ ...x, data: [...x.data.slice(-4), ...x.data.slice(0, -4)] }),
  ),
]

const triangles: OpCase[] = [0, 1, -1, -9, 9].flatMap((diagonal) => [
  ...each(
    matrices,
    (x) => x.tril(diagonal),
    moved(sameShape, (i) => (i.at(-1)! - i.at(-2)! <= diagonal ? i : undefined)),
  ),
  ...each(
    matrices,
    (x) => x.triu(diagonal),
    moved(sameShape, (i) => (i.at(-1)! - i.at(-2)! >= diagonal ? i : undefined)),
  ),
])

/** Shapes of x and of indices along an axis. */
const alongAxis: [Shape, number, Shape][] = [
  [[5], 0, [3]],
  [[3, 4], 0, [7, 4]],
  [[3, 4], 1, [3, 2]],
  [[2, 3, 2], 1, [2, 1, 2]],
  // Indices in a part of x.
  [[3, 4], 1, [2, 5]],
  [[2, 3, 2], 0, [1, 2, 1]],
  [[3, 4], 0, [0, 4]],
  [[3, 0], 0, [2, 0]],
]

/** A different place for each index along the axis as far as there are, so that none wins twice. */
const placesIn = (shape: Shape, axis: number, of: Shape): Nd => ({
  ...build(of, (i) => (i[axis] + 2 * i.at(-1)!) % Math.max(shape[axis], 1)),
  dtype: 'int32',
})

const gathers: OpCase[] = [
  ...alongAxis.map(([shape, axis, of]) => ({
    name: `${show([shape, of])} along ${axis}`,
    inputs: [sample(shape), placesIn(shape, axis, of)],
    apply: (x: Tensor, picks: Tensor<'int32'>) => x.gather(axis, picks),
    expected: (x: Nd, picks: Nd) => build(of, (i) => at(x, i.with(axis, at(picks, i)))),
  })),
  ...axes
    .filter(([, axis]) => axis > 0)
    .map(([shape, axis]) => ({
      name: `${show([shape])} by a list along ${axis}`,
      inputs: [sample(shape), ints([3], [1, 0, 1])],
      apply: (x: Tensor, picks: Tensor<'int32'>) => x.indexSelect(axis, picks),
      expected: (x: Nd, picks: Nd) =>
        build(shape.with(axis, 3), (i) => at(x, i.with(axis, picks.data[i[axis]]))),
    })),
]

/** x with f(x, source) at each place that an index names, one after the other. */
function scattered(f: (x: number, source: number) => number, axis: number) {
  return (x: Nd, picks: Nd, source: Nd): Nd => {
    const y = { ...x, data: [...x.data] }
    for (const i of indices(picks.shape)) {
      const place = i.with(axis, at(picks, i))
      const position = place.reduce((sum, n, d) => sum * x.shape[d] + n, 0)
      y.data[position] = f(y.data[position], at(source, i))
    }
    return y
  }
}

function scatters(
  op: 'scatter' | 'scatterAdd',
  f: (x: number, source: number) => number,
): OpCase[] {
  // Of two in one place, the gradient of `scatter` is of both.
  const fits = ([shape, axis, of]: (typeof alongAxis)[number]) =>
    op === 'scatterAdd' || of[axis] <= shape[axis]
  return alongAxis.filter(fits).flatMap(([shape, axis, of]) =>
    [of, of.map((extent) => extent + 1)].map((ofSource) => ({
      name: `${show([shape, of, ofSource])} along ${axis}`,
      inputs: [sample(shape), placesIn(shape, axis, of), sample(ofSource, 1)],
      apply: (x, picks, source) => x[op](axis, picks, source),
      expected: scattered(f, axis),
    })),
  )
}

/** Entries along an axis by a list: indices for each element say the same. */
function byList(
  op: 'indexAdd' | 'indexCopy',
  list: number[],
  f: (x: number, source: number) => number,
): OpCase[] {
  return axes.map(([shape, axis]) => {
    const of = shape.with(axis, list.length)
    return {
      name: `${op} to ${show([shape])} along ${axis}`,
      inputs: [sample(shape), ints([list.length], list), sample(of, 1)],
      apply: (x, picks, source) => x[op](axis, picks, source),
      expected: (x: Nd, picks: Nd, source: Nd) =>
        scattered(f, axis)(
          x,
          build(of, (i) => picks.data[i[axis]]),
          source,
        ),
    }
  })
}

const second = (_: number, source: number) => source
const sum = (x: number, source: number) => x + source

/** f of all elements along an axis up to each one. */
function scans(op: 'cumsum' | 'cumprod', f: (total: number, x: number) => number): OpCase[] {
  return axes.map(([shape, axis]) => ({
    name: `${show([shape])} along ${axis}`,
    // The products must not become large beside each other.
    inputs: [map((x) => x / 4, sample(shape))],
    apply: (x: Tensor) => x[op](axis),
    expected: (x: Nd) =>
      build(shape, (i) => {
        let total = at(x, i.with(axis, 0))
        for (let r = 1; r <= i[axis]; r++) total = f(total, at(x, i.with(axis, r)))
        return total
      }),
  }))
}

const sorts: OpCase[] = axes.flatMap(([shape, axis]) =>
  [false, true].map((descending) => ({
    name: `${show([shape])} along ${axis}${descending ? ', descending' : ''}`,
    inputs: [sample(shape)],
    apply: (x: Tensor) => x.argsort(axis, descending) as unknown as Tensor,
    expected: (x: Nd) =>
      build(shape, (i) => {
        const line = Array.from({ length: shape[axis] }, (_, r) => at(x, i.with(axis, r)))
        const inOrder = line.toSorted((a, b) => (descending ? b - a : a - b))
        return line.indexOf(inOrder[i[axis]])
      }),
  })),
)

const distances: OpCase[] = [
  [
    [3, 2],
    [4, 2],
  ],
  [
    [2, 3, 2],
    [2, 1, 2],
  ],
  [
    [2, 1, 3, 4],
    [3, 2, 4],
  ],
  [
    [0, 2],
    [3, 2],
  ],
  [
    [2, 0],
    [3, 0],
  ],
].map((shapes) => ({
  name: show(shapes),
  inputs: [sample(shapes[0]), sample(shapes[1], 1)],
  apply: cdist,
  expected: (a, b) => {
    const own = [...a.shape.slice(0, -1), 1, a.shape.at(-1)!]
    const other = [...b.shape.slice(0, -2), 1, ...b.shape.slice(-2)]
    const squares = map((p, q) => (p - q) ** 2, { ...a, shape: own }, { ...b, shape: other })
    const { shape } = squares
    const cols = Array.from({ length: shape.at(-1)! }, (_, c) => c)
    return build(shape.slice(0, -1), (i) =>
      Math.sqrt(cols.reduce((total, c) => total + at(squares, [...i, c]), 0)),
    )
  },
}))

export const movingCases: Record<string, OpCase[]> = {
  slice: slices,
  pad: pads,
  roll: rolls,
  triangle: triangles,
  gather: gathers,
  scatter: [...scatters('scatter', second), ...byList('indexCopy', [1, 0], second)],
  scatterAdd: [...scatters('scatterAdd', sum), ...byList('indexAdd', [1, 0, 1], sum)],
  argsort: sorts,
  cumsum: scans('cumsum', sum),
  cumprod: scans('cumprod', (total, x) => total * x),
  cdist: distances,
}
