/** Rows of the op table: products of matrices and of batches of them. */
import { bmm, linear } from '../../lib/index.js'
import { type OpCase, type Shape, show } from './opCase.js'
import { at, build, map, type Nd, sample, total } from './reference.js'

/** The last two axes in the other order. */
function turned(x: Nd): Nd {
  const shape = [...x.shape.slice(0, -2), x.shape.at(-1)!, x.shape.at(-2)!]
  return build(shape, (index) => at(x, [...index.slice(0, -2), index.at(-1)!, index.at(-2)!]))
}

/** a [..., m, k]·b [..., k, n], whose axes before the last two broadcast. */
function multiplied(a: Nd, b: Nd): Nd {
  const rank = Math.max(a.shape.length, b.shape.length) - 2
  const batch = Array.from({ length: rank }, (_, axis) => {
    const extents = [a, b].map(
      ({ shape }) => shape.slice(0, -2)[axis - rank + shape.length - 2] ?? 1,
    )
    return extents[0] === 1 ? extents[1] : extents[0]
  })
  const inner = Array.from({ length: a.shape.at(-1)! }, (_, k) => k)
  return build([...batch, a.shape.at(-2)!, b.shape.at(-1)!], (index) => {
    const [place, [i, j]] = [index.slice(0, -2), index.slice(-2)]
    return total(inner.map((k) => at(a, [...place, i, k]) * at(b, [...place, k, j])))
  })
}

function product(a: Shape, b: Shape, transA = false, transB = false): OpCase {
  // A vector is a row on the left and a column on the right.
  const asMatrix = (x: Nd, transposed: boolean, vector: Shape): Nd =>
    x.shape.length === 1 ? { ...x, shape: vector } : transposed ? turned(x) : x
  return {
    name: `${show([a, b])}${transA ? ', a transposed' : ''}${transB ? ', b transposed' : ''}`,
    inputs: [sample(a), sample(b, 1)],
    apply: (x, y) => x.matmul(y, { transA, transB }),
    expected: (x, y) => {
      const z = multiplied(asMatrix(x, transA, [1, ...a]), asMatrix(y, transB, [...b, 1]))
      const shape = [
        ...z.shape.slice(0, -2),
        ...(a.length === 1 ? [] : z.shape.slice(-2, -1)),
        ...(b.length === 1 ? [] : z.shape.slice(-1)),
      ]
      return { ...z, shape }
    },
  }
}

const FLAGS = [false, true].flatMap((transA) => [false, true].map((transB) => [transA, transB]))

const matrices = FLAGS.flatMap(([transA, transB]) =>
  [
    [2, 3, 4],
    [1, 5, 1],
    [3, 1, 2],
    [0, 2, 3],
    [2, 0, 3],
    [7, 9, 5],
  ].map(([m, k, n]) => product(transA ? [k, m] : [m, k], transB ? [n, k] : [k, n], transA, transB)),
)

/** The axes before the matrices, on either side. */
const BATCHES: [Shape, Shape][] = [
  [[2], [2]],
  [[3], []],
  [[], [2]],
  [[2], [1]],
  [
    [2, 1],
    [1, 2],
  ],
  [
    [1, 1],
    [2, 1],
  ],
  [[2, 2], [2]],
  [[0], [1]],
  [
    [2, 1, 2, 1, 2],
    [1, 2, 1, 2, 1],
  ],
]

const batches = FLAGS.flatMap(([transA, transB]) =>
  BATCHES.map(([p, q]) =>
    product(
      [...p, ...(transA ? [3, 2] : [2, 3])],
      [...q, ...(transB ? [2, 3] : [3, 2])],
      transA,
      transB,
    ),
  ),
)

export const products = {
  matmul: [
    ...matrices,
    product([3], [3, 4]),
    product([3], [4, 3], false, true),
    product([2, 3], [3]),
    product([3, 2], [3], true),
    product([3], [3]),
    ...batches,
    product([2, 2, 3], [3]),
    product([3], [2, 3, 2]),
    product([2, 0, 3], [2, 3, 2]),
    product([2, 2, 0], [1, 0, 2]),
    {
      name: 'bmm',
      inputs: [sample([2, 3, 2]), sample([2, 2, 4], 1)],
      apply: bmm,
      expected: multiplied,
    },
  ],
  linear: (
    [
      [[2], 3, 4],
      [[1], 1, 1],
      [[0], 2, 3],
      [[5], 7, 1],
      [[2, 3], 2, 4],
      [[2, 0], 2, 3],
      [[2, 1, 3], 2, 2],
    ] as const
  ).map(([batch, fanIn, fanOut]) => ({
    name: `[${batch}] rows, ${fanIn} to ${fanOut}`,
    inputs: [sample([...batch, fanIn]), sample([fanIn, fanOut], 1), sample([fanOut], 2)],
    apply: linear,
    expected: (x: Nd, weight: Nd, bias: Nd) => map((a, b) => a + b, multiplied(x, weight), bias),
  })),
} satisfies Record<string, OpCase[]>
