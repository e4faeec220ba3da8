/** At NaN, infinities and bounds: values and gradients as PyTorch has them (1.13 on a CPU), but where noted. */
import t from 'tap'
import {
  Generator,
  init,
  ones,
  rand,
  randn,
  setBackend,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import type { Nested } from '../../lib/tensor/print.js'
import { onBothBackends } from '../support/reference.js'

const [nan, inf] = [Number.NaN, Infinity]

/** The gradients of Σ weight·f(…). */
function gradients(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Nested[],
  weights?: readonly number[],
): unknown[] {
  const leaves = inputs.map((values) => tensor(values))
  for (const leaf of leaves) leaf.requiresGrad = true
  const y = f(...leaves)
  y.backward(weights ? tensor(weights) : tensor(Array(y.size).fill(1), y.shape))
  return leaves.map(({ grad }) => grad!.toArray())
}

onBothBackends('clip', (t) => {
  const clip = (x: Tensor) => x.clip(-1, 1)
  t.strictSame(clip(tensor([-2, -1, 0.5, 1, 2, nan, inf])).toArray(), [-1, -1, 0.5, 1, 1, nan, 1])
  t.strictSame(gradients(clip, [[-2, -1, 0.5, 1, 2, nan, inf, -inf]]), [[0, 1, 1, 1, 0, 0, 0, 0]])
  t.strictSame(
    gradients((x) => x.clip(1, 1), [[0, 1, 2]]),
    [[0, 1, 0]],
  )
  t.strictSame(
    gradients((x) => x.clip(0, inf), [[0, -inf, inf]]),
    [[1, 0, 1]],
  )
  t.strictSame(gradients(clip, [[-2, -1, 5]], [inf, 2, nan]), [[0, 2, 0]], 'of any gradient')
})

onBothBackends('maximum and minimum', (t) => {
  const [a, b] = [
    [1, nan, 2, nan, 3, inf, -0],
    [1, 1, nan, nan, 4, inf, 0],
  ]
  const [max, min] = [
    (x: Tensor, y: Tensor) => x.maximum(y),
    (x: Tensor, y: Tensor) => x.minimum(y),
  ]
  const [half, one] = [
    [0.5, 1, 1, 1, 0, 0.5, 0.5],
    [0.5, 1, 1, 1, 1, 0.5, 0.5],
  ]
  t.strictSame(gradients(max, [a, b]), [half, one])
  t.strictSame(gradients(min, [a, b]), [one, half])
  const rows = [
    [1, 2, 3],
    [1, 1, 4],
  ]
  t.strictSame(gradients(max, rows, [inf, inf, nan]), [
    [inf, inf, 0],
    [inf, 0, nan],
  ])
  t.strictSame(
    gradients(max, [
      [
        [1, 2],
        [nan, 0],
      ],
      [1, 1],
    ]),
    [
      [
        [0.5, 1],
        [1, 0],
      ],
      [1.5, 1],
    ],
  )
})

onBothBackends('sign and abs', (t) => {
  const values = [nan, -0, 0, 2, -3, inf]
  t.strictSame(tensor(values).sign().toArray(), [0, 0, 0, 1, -1, 1])
  t.strictSame(tensor(Array(40).fill(nan)).sign().toArray(), Array(40).fill(0))
  t.strictSame(
    gradients((x) => x.abs(), [values]),
    [[0, 0, 0, 1, -1, 1]],
  )
})

onBothBackends('the largest of NaN', (t) => {
  t.strictSame(
    gradients(
      (x) => x.max(1),
      [
        [
          [1, nan],
          [2, 2],
        ],
      ],
    ),
    [
      [
        [nan, nan],
        [0.5, 0.5],
      ],
    ],
  )
})

onBothBackends('norm', (t) => {
  const norm = (x: Tensor) => x.norm()
  // PyTorch adds up float32 squares: at 1e30 it finds Infinity, at 1e-30 0, and no gradient there.
  for (const size of [1e30, 1e-30, 1e-37]) {
    const found = norm(tensor([3 * size, -4 * size])).item()
    t.ok(Math.abs(found / (5 * size) - 1) < 2e-7, `${found}`)
    const [[x, y]] = gradients(norm, [[3 * size, -4 * size]]) as number[][]
    t.ok(Math.abs(x - 0.6) < 1e-6 && Math.abs(y + 0.8) < 1e-6, `${x}, ${y}`)
  }
  // A subnormal has few digits.
  const [[tiny]] = gradients(norm, [[1e-40, 1e-40]]) as number[][]
  t.ok(Math.abs(tiny - Math.SQRT1_2) < 1e-4, `${tiny}`)
  t.strictSame(gradients(norm, [[0, 0]]), [[0, 0]])
  t.strictSame(gradients(norm, [[inf, 1]]), [[nan, 0]])
  t.strictSame(gradients(norm, [[nan, 1]]), [[nan, nan]])
})

t.test('what PyTorch and NumPy write with commas', (t) => {
  setBackend('native')
  const x = ones([2, 3])
  const calls: [() => unknown, string][] = [
    [() => x.reshape(3 as never), 'reshape([2, 3])'],
    [() => x.broadcastTo(3 as never), 'broadcastTo([2, 3])'],
    [() => x.view(3 as never), 'view([2, 3])'],
    [() => zeros(2 as never), 'zeros([2, 3])'],
    [() => ones(2 as never), 'ones([2, 3])'],
    [() => rand(2 as never), 'rand([2, 3])'],
    [() => randn(2 as never), 'randn([2, 3])'],
    [() => init.zeros(2 as never), 'zeros([2, 3])'],
    [() => new Generator(1).uniform(2 as never, 3), 'uniform([2, 3])'],
    [() => new Generator(1).normal(2 as never, 3), 'normal([2, 3])'],
  ]
  for (const [call, example] of calls) {
    const [op] = example.split('(')
    const message = new RegExp(
      `^${op}: expected the shape as one array, such as ${op}\\(\\[2, 3\\]\\)`,
    )
    t.throws(call, { name: 'ShapeError', message }, example)
  }
  // @ts-expect-error: the axes are one array
  t.throws(() => x.transpose(0, 1), {
    name: 'ShapeError',
    message:
      /^transpose: expected the new order of all axes as one array, such as x\.transpose\(\[1, 0\]\).*, got 0$/,
  })
  for (const call of [
    () => x.sum(0, 1 as never),
    () => x.mean(0, 1 as never),
    () => x.max(0, 1 as never),
    () => x.norm(0, 1 as never),
  ]) {
    const message = /^keepDims: expected true or false, got 1; several axes are one array/
    t.throws(call, { name: 'ArgumentError', message })
  }
  t.end()
})
