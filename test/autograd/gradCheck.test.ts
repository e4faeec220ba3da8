/**
 * gradCheck itself: it must find wrong gradients, and accept right ones anywhere. Random graphs show
 * that ops compose.
 */
import t from 'tap'
import {
  ArgumentError,
  AutogradError,
  concat,
  Generator,
  gradCheck,
  memory,
  oneHot,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  where,
} from '../../lib/index.js'
import { defineOp, ops } from '../../lib/ops/define.js'
import { leaf, onBothBackends, refuses, sample, toTensor, wrong } from '../support/reference.js'

t.test('right gradients', async (t) => {
  const result = gradCheck((x, w) => x.matmul(w).tanh(), [[[1, 2]], [[3], [-4]]])
  t.equal(result.ok, true)
  t.ok(result.maxRelativeError < 1e-8)
  t.strictSame(Object.keys(result.worst ?? {}).sort(), ['analytic', 'index', 'input', 'numeric'])
  t.ok(gradCheck((x) => x.square(), [3]).ok, 'a scalar')
  t.ok(gradCheck((x) => x.exp(), [[1e3, -1e3].map((v) => v / 100)]).ok)
  t.ok(gradCheck((x) => x.mul(1e-9), [[1, 2]]).ok, 'small gradients')
  t.ok(gradCheck((x) => x.mul(1e9).add(1e9), [[1, 2]]).ok, 'large values')
})

t.test('wrong gradients', async (t) => {
  const cube = (factor: number) =>
    defineOp<readonly [Tensor]>('cube of gradCheck.test', {
      forward: ([x]) => x.mul(x).mul(x),
      save: (_, [x]) => [x],
      backward: (dy, [x]) => [() => dy.mul(x.square()).mul(factor)],
    })
  t.ok(gradCheck(cube(3), [[1, -2, 0.5]]).ok)
  for (const factor of [3.00001, 2.9, -3, 0, Number.NaN, Infinity]) {
    const result = gradCheck(cube(factor), [[1, -2, 0.5]])
    t.equal(result.ok, false, `3x² as ${factor}·x²`)
    t.ok(result.maxRelativeError > 1e-6)
  }
  ops.delete('cube of gradCheck.test')
  const oneWrong = (x: Tensor, y: Tensor) =>
    x.add(
      y.mul(
        y
          .detach()
          .mul(tensor([0, 0, 1]))
          .add(1),
      ),
    )
  const { worst } = gradCheck(oneWrong, [
    [1, 1, 1],
    [1, 2, 4],
  ])
  t.equal(worst?.input, 1)
  t.equal(worst?.index, 2)
  t.equal(gradCheck((x) => x.mul(x.detach()), [[1, 2]]).ok, false, 'part of it detached')
  t.equal(gradCheck((x) => x.relu(), [[0, 1]]).ok, false, 'at a kink')
})

onBothBackends('what may be checked', (t, backend) => {
  const x = leaf([[1, 2, 3]])
  const labels = tensor(Int32Array.of(2))
  const before = memory()
  const result = gradCheck((a, b) => softmaxCrossEntropy(a, b), [x, labels])
  t.ok(result.ok)
  t.equal(result.worst?.input, 0, 'integers are passed on unchecked')
  t.ok(x.grad === null && x.storage.backend.name === backend, 'inputs are copied')
  t.strictSame(memory(), before)
  t.ok(gradCheck((a, b) => a.mul(oneHot(b, 3)), [x, labels]).ok)
  const unused = gradCheck((a, _b) => a, [[1], [2]])
  t.ok(unused.ok, 'an input without influence')
  t.strictSame(
    gradCheck((a) => a, [[]]),
    { ok: true, maxRelativeError: 0, worst: null },
  )
  t.ok(gradCheck((a) => a.sum(), [tensor([1, 2])]).ok)
  t.equal(gradCheck((a) => a.exp(), [[1]], { tolerance: 1e-30 }).ok, true, 'below what can be told')
  t.equal(gradCheck((a) => a.exp(), [[1]], { eps: 0.1 }).ok, false, 'a coarse difference')
})

t.test('what is refused', async (t) => {
  refuses(t, () => gradCheck(() => wrong(3), [[1]]), ArgumentError, /returns a tensor, got 3/)
  refuses(
    t,
    () =>
      gradCheck(
        wrong(async (x: Tensor) => x),
        [[1]],
      ),
    ArgumentError,
    /got Promise /,
  )
  refuses(t, () => gradCheck((x) => x.detach(), [[1]]), AutogradError)
  refuses(t, () => gradCheck((x) => x, [wrong('1') as number]), ArgumentError)
  for (const eps of [0, -1, Number.NaN]) {
    refuses(t, () => gradCheck((x) => x, [[1]], { eps }), ArgumentError)
    refuses(t, () => gradCheck((x) => x, [[1]], { tolerance: eps }), ArgumentError)
  }
  setBackend('js')
  const outside = tensor([1])
  t.throws(() => gradCheck((x) => x.mul(outside), [[1]]), /expected tensors of one backend/)
  t.equal(tensor([1]).dtype, 'float32', 'the default dtype is back after an error')
})

type Step = (x: Tensor, y: Tensor) => Tensor

/** From two 2 × 3 matrices to one, smooth and bounded. */
const steps: Step[] = [
  (x, y) => x.add(y).tanh(),
  (x, y) => x.mul(y).sin(),
  (x, y) => x.sub(y.mean(1, true)),
  (x, y) => x.div(y.square().add(1)),
  (x, y) => x.matmul(y, { transB: true }).matmul(y).tanh(),
  (x, y) => concat([x.slice([0, 1]), y.slice([1, 2])]),
  (x, y) => x.softmax(0).mul(y),
  (x, y) => x.reshape([3, 2]).transpose().add(y.logSoftmax().mul(0.1)),
  (x, y) => where(tensor([1, 0, 1]), x, y.cos()),
  (x, y) => x.indexSelect(0, tensor(Int32Array.of(1, 1))).sub(y.sigmoid()),
  (x, y) => x.sum(0).mul(0.3).broadcastTo([2, 3]).add(y.softplus()),
]

t.test('random graphs', async (t) => {
  for (let seed = 0; seed < 40; seed++) {
    setBackend('js')
    const choices = [...new Generator(seed).uniform([30]).data()]
    const graph = (a: Tensor, b: Tensor): Tensor => {
      const made = [a, b]
      for (let i = 0; i < 10; i++) {
        const [step, p, q] = choices.slice(3 * i, 3 * i + 3)
        const pick = (share: number) => made[Math.floor(share * made.length)]
        made.push(steps[Math.floor(step * steps.length)](pick(p), pick(q)))
      }
      return made.slice(2).reduce((sum, x) => sum.add(x))
    }
    const inputs = [sample([2, 3], seed), sample([2, 3], seed + 1)].map(toTensor)
    const scaled = inputs.map((x) => x.mul(0.2))
    const result = gradCheck(graph, [scaled[0], scaled[1]])
    t.ok(result.ok, `seed ${seed}: ${result.maxRelativeError}`)
  }
})
