/**
 * Memory: buffers and bytes come back to where they were after every kind of use, without the garbage
 * collector in scopes, and with it for tensors made outside of any.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { withBackend } from '../../lib/backend/current.js'
import {
  DataLoader,
  dataset,
  fullLike,
  gradCheck,
  KernelError,
  memory,
  mlp,
  OutOfMemoryError,
  ReleasedTensorError,
  rand,
  SGD,
  ShapeError,
  scope,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { ops } from '../../lib/ops/define.js'
import { partOf } from '../../lib/tensor/allocate.js'
import { FailingBackend } from '../support/failingBackend.js'
import { opCases } from '../support/opCases.js'
import {
  growth,
  leaf,
  onBothBackends,
  refuses,
  sample,
  toTensor,
  wrong,
} from '../support/reference.js'

onBothBackends('what memory() counts', (t) => {
  const before = memory()
  const x = zeros([1000])
  const during = memory()
  t.equal(during.buffers, before.buffers + 1)
  t.ok(during.live >= before.live + 4000 && during.live <= before.live + 8192)
  t.ok(during.peak >= during.live)
  x.dispose()
  const after = memory()
  t.equal(after.buffers, before.buffers)
  t.equal(after.live, before.live)
  t.ok(after.pooled >= before.pooled + 4000)
  zeros([1000]).dispose()
  t.strictSame(memory(), after, 'the buffer is used again')
})

onBothBackends('every op, forward and backward in a scope', (t) => {
  for (const [op, cases] of Object.entries(opCases)) {
    for (const { name, inputs, apply } of cases) {
      const grown = growth(() =>
        scope(() => {
          const leaves = inputs.map(toTensor)
          for (const x of leaves) if ((x.dtype as string) === 'float32') x.requiresGrad = true
          const y = apply(...leaves)
          if (ops.get(op)?.differentiable) y.backward(fullLike(y, 1))
        }),
      )
      t.equal(grown, 0, `${op} ${name}`)
    }
  }
})

/** What one call of step changes, after two calls that fill the pools. */
function flat(t: Test, step: () => void): void {
  step()
  step()
  const before = memory()
  for (let i = 0; i < 1000; i++) step()
  t.strictSame(memory(), before)
}

onBothBackends('1000 times forward, backward and zeroed gradients', (t) => {
  const w = leaf([[0.1, -0.2, 0.3]])
  const x = leaf([[1], [2]])
  flat(t, () => {
    scope(() => x.matmul(w).tanh().add(1).log().mean().backward())
    for (const parameter of [w, x]) {
      parameter.grad?.dispose()
      parameter.grad = null
    }
  })
})

onBothBackends('1000 steps of training, gradients added up or zeroed', (t) => {
  const model = mlp([4, 8, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9, nesterov: true })
  const inputs = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i))
  const targets = Int32Array.from({ length: 10 }, (_, i) => i % 3)
  const data = dataset({ inputs, targets, inputShape: [4] })
  const loader = new DataLoader(data, { batchSize: 5, shuffle: true })
  flat(t, () => {
    // Two batches: the gradients of the second are added to those of the first.
    for (const batch of loader) {
      scope(() => softmaxCrossEntropy(model.forward(batch.inputs), batch.targets).backward())
      optimizer.step()
    }
    optimizer.zeroGrad()
  })
})

onBothBackends('a scope around the whole training', (t) => {
  rand([1]) // the default generator's state outlives scopes
  const grown = growth(() =>
    scope(() => {
      const model = mlp([2, 3, 1])
      const optimizer = new SGD(model.parameters(), { lr: 0.1 })
      for (let i = 0; i < 5; i++) {
        optimizer.zeroGrad()
        scope(() =>
          model
            .forward(tensor([[1, 2]]))
            .sum()
            .backward(),
        )
        optimizer.step()
      }
    }),
  )
  t.equal(grown, 2, 'the optimizer settings, for weights and for biases, are left to the collector')
})

onBothBackends('a long chain frees its gradients on the way back', (t) => {
  const x = leaf(new Array(1000).fill(1))
  scope(() => {
    let y: Tensor = x
    for (let i = 0; i < 100; i++) y = i % 2 ? y.mul(0.5) : y.maximum(0.25).pow(1.5)
    const loss = y.sum()
    const before = memory()
    loss.backward()
    const after = memory()
    t.equal(after.buffers, before.buffers + 1, 'only the gradient of the leaf is left')
    t.ok(after.peak <= Math.max(before.peak, before.live + 15 * 4096), 'a few at a time')
  })
})

onBothBackends('errors in the middle', (t) => {
  const x = leaf([[1, 2]])
  const labels = tensor(Int32Array.of(9))
  const failing: [() => unknown, new (...args: any[]) => Error][] = [
    [() => x.add(1).mul(tensor([1, 2, 3])), ShapeError],
    [() => x.exp().indexSelect(0, labels), KernelError],
    [() => softmaxCrossEntropy(x.mul(2), labels), KernelError],
    [() => x.matmul(x.add(1)), ShapeError],
    [() => x.reshape([2]).sum(5), ShapeError],
    [() => tensor(wrong([[1], ['a']])), Error],
    [() => x.square().backward(), Error],
    [() => zeros([2 ** 45]), OutOfMemoryError],
  ]
  // A refusal has the collector free what earlier tests left, which is not to count below.
  refuses(t, () => zeros([2 ** 45]), OutOfMemoryError)
  for (const [fn] of failing) {
    t.equal(
      growth(() => t.throws(() => scope(fn))),
      0,
      fn.toString(),
    )
  }
  for (const [fn, errorClass] of failing) if (errorClass !== Error) refuses(t, fn, errorClass)
})

t.test('a failure at every kernel and at every allocation of a step', async (t) => {
  for (const kind of ['run', 'alloc'] as const) {
    const backend = new FailingBackend(kind)
    withBackend(backend, () => {
      const model = mlp([3, 4, 2])
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.5 })
      const step = () => {
        try {
          scope(() => {
            const x = tensor([[1, 2, 3]])
            softmaxCrossEntropy(model.forward(x), tensor(Int32Array.of(1))).backward()
            optimizer.step()
          })
        } finally {
          optimizer.zeroGrad()
        }
      }
      step()
      const before = memory().buffers
      let failures = 0
      for (let n = 1; n < 100; n++) {
        backend.left = n
        try {
          step()
        } catch {
          failures++
        }
        const { buffers } = memory()
        if (buffers !== before) t.fail(`after a failure at ${kind} ${n}: ${buffers - before} more`)
        if (backend.left > 0) break
      }
      t.ok(failures > 10, `${failures} failures at ${kind}`)
      backend.left = Infinity
      t.doesNotThrow(step, 'and on it goes')
    })
  }
})

onBothBackends('gradCheck, views and broadcasts leave nothing', (t) => {
  const a = sample([2, 1, 2, 1, 2])
  const b = sample([1, 3, 1, 2, 1])
  t.equal(
    growth(() => toTensor(a).add(toTensor(b))),
    3,
    'two operands and their sum',
  )
  const x = leaf([1, 2])
  t.equal(
    growth(() => gradCheck((y) => y.exp(), [x])),
    0,
  )
  const grown = growth(() => {
    const a = tensor([[1, 2]])
    const views = [a.reshape([2]), a.view(), a.detach(), a.reshape([2, 1]).reshape([1, 2])]
    for (const y of [...views, a]) y.dispose()
  })
  t.ok(grown <= 1, 'but for the view in the middle, which no one disposed')
  t.equal(
    growth(() => {
      using y = tensor([1])
      y.item()
    }),
    0,
  )
})

const collect = `
import { setImmediate as turn } from 'node:timers/promises'
import { memory, setBackend, SGD, tensor, mlp, scope, Generator } from 'LIB'
setBackend('BACKEND')
const settled = async () => {
  for (let i = 0; i < 20; i++) { gc(); await turn() }
  return memory()
}
const make = (i) => {
  const x = tensor([[i, 1]])
  x.requiresGrad = true
  const y = x.mul(x).exp().div(3).sum()
  if (i % 3 === 0) y.backward()
  if (i % 3 === 2) {
    let leaf
    scope(() => {
      leaf = tensor([1])
      leaf.requiresGrad = true
      return leaf.add(1)
    }).backward()
  }
  if (i % 3 === 1) x.detach().reshape([2]).dispose()
  scope(() => x.transpose().matmul(x).max())
  new Generator(i).normal([3])
  const model = mlp([2, 1])
  const optimizer = new SGD(model.parameters(), { lr: 1, momentum: 0.5 })
  model.forward(x).sum().backward()
  optimizer.step()
}
make(0)
const kept = tensor([1, 2])
let heap
scope(() => {
  for (let i = 0; i < 2e5; i++) {
    kept.add(1).dispose()
    if (i === 1e4) {
      gc()
      heap = process.memoryUsage().heapUsed
    }
  }
  gc()
  heap = process.memoryUsage().heapUsed - heap
})
const before = await settled()
for (let i = 0; i < 300; i++) make(i)
const during = memory()
const after = await settled()
console.log(JSON.stringify({ before, during, after, heap, kept: kept.toArray() }))
`

for (const backend of ['js', 'native']) {
  t.test(`the collector frees what was made outside of scopes (${backend})`, async (t) => {
    const lib = new URL('../../lib/index.js', import.meta.url).href
    const program = collect.replace('LIB', lib).replace('BACKEND', backend)
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      '--input-type=module',
      '--eval',
      program,
    ])
    const { before, during, after, heap, kept } = JSON.parse(stdout)
    t.ok(heap < 2e6, `a long scope forgets what was released: ${heap} bytes`)
    t.ok(during.buffers > before.buffers + 1000)
    t.equal(after.buffers, before.buffers)
    t.equal(after.live, before.live)
    t.strictSame(kept, [1, 2])
  })
}

// What captured functions leave that nobody can call any more, and a result that outlives its own.
const drop = `
  import { capture, memory, ones, setBackend, tensor } from 'LIB'
  setBackend('BACKEND')
  const x = ones([1000])
  const results = []
  const use = (keep) => {
    const f = capture((x) => x.add(1).exp().mul(ones([1000])).add(tensor([1])))
    const y = f(x)
    if (keep) results.push(y)
  }
  const collect = async () => {
    for (let i = 0; i < 5; i++) {
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  use(true)
  await collect()
  const before = memory()
  for (let i = 0; i < 100; i++) use(false)
  const during = memory()
  await collect()
  console.log(JSON.stringify({ before, during, after: memory(), kept: results[0].sum().item() }))`

for (const backend of ['js', 'native']) {
  t.test(`the collector frees captured functions (${backend})`, async (t) => {
    const lib = new URL('../../lib/index.js', import.meta.url).href
    const text = drop.replace('LIB', lib).replace('BACKEND', backend)
    const args = ['--expose-gc', '--input-type=module', '--eval', text]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { before, during, after, kept } = JSON.parse(stdout)
    t.ok(during.buffers > before.buffers + 100)
    t.strictSame([after.buffers, after.live], [before.buffers, before.live])
    t.ok(Math.abs(kept / 1000 - Math.exp(2) - 1) < 1e-5)
  })
}

onBothBackends('a part shares the buffer, its version and its end', (t) => {
  const before = memory()
  const x = tensor([1, 2, 3, 4, 5, 6])
  const part = partOf(x, 2, [2, 2])
  const inner = partOf(part, 1, [2])
  t.equal(memory().buffers, before.buffers + 1, 'views are no buffers')
  part.assign([30, 40, 50, 60])
  t.strictSame(x.toArray(), [1, 2, 30, 40, 50, 60], 'written through the part')
  x.assign([6, 5, 4, 3, 2, 1])
  t.strictSame(inner.toArray(), [3, 2], 'seen in a part of the part')
  t.equal(part.storage.version, 2)
  t.equal(inner.storage.version, x.storage.version)
  x.dispose()
  t.strictSame(
    part.toArray(),
    [
      [4, 3],
      [2, 1],
    ],
    'the buffer stays while a part is there',
  )
  part.dispose()
  inner.dispose()
  t.equal(memory().buffers, before.buffers)
  refuses(t, () => part.data(), ReleasedTensorError)
  const y = tensor([1, 2, 3])
  refuses(t, () => partOf(y, 2, [2]), KernelError)
  y.dispose()
})
