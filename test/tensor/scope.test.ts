/**
 * Scopes: what they free, what they pass on, and what they refuse.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import {
  ArgumentError,
  CaptureError,
  capture,
  DataLoader,
  dataset,
  Generator,
  memory,
  mlp,
  noGrad,
  openScope,
  ReleasedTensorError,
  randn,
  scope,
  setBackend,
  setSeed,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { settledMemory } from '../support/engine.js'
import { gradOf, growth, leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

onBothBackends('a scope returns a graph that is walked later', (t) => {
  const w = leaf([3, 4])
  const [loss, inner] = scope(() => {
    const x = leaf([1, 2])
    return [
      x
        .mul(w)
        .exp()
        .mul(tensor([1, 0]))
        .sum(),
      x,
    ] as const
  })
  loss.backward()
  t.ok(Math.abs((w.grad?.data()[0] ?? 0) - Math.exp(3)) < 1e-4)
  t.ok(Math.abs((inner.grad?.data()[0] ?? 0) - 3 * Math.exp(3)) < 1e-3)
})

onBothBackends('a leaf that ended with its scope', (t) => {
  const grown = growth(() => {
    let x: Tensor | undefined
    const y = scope(() => {
      x = leaf([1, 2])
      return x.add(1).sum()
    })
    refuses(t, () => x!.data(), ReleasedTensorError)
    y.backward()
    t.strictSame(gradOf(x!), [1, 1], 'still gets its gradient')
    for (const z of [y, x!.grad]) z?.dispose()
  })
  t.equal(grown, 0, 'which nothing else would free')
})

onBothBackends('an error inside a scope', (t) => {
  const outside = tensor([1])
  const grown = growth(() => {
    t.throws(
      () =>
        scope(() => {
          outside.add(1)
          scope(() => {
            outside.mul(2)
            noGrad(() => {
              throw new Error('inside')
            })
          })
        }),
      /inside/,
    )
  })
  t.equal(grown, 0)
  t.strictSame([...outside.data()], [1])
  const later = outside.add(1)
  t.equal(
    growth(() => scope(() => {})),
    0,
  )
  t.strictSame([...later.data()], [2], 'what is made later belongs to no ended scope')
})

onBothBackends('nested scopes', (t) => {
  const escaped: Tensor[] = []
  const grown = growth(() => {
    const kept = scope(() => {
      const [a, b] = scope(() => {
        escaped.push(tensor([0]))
        return [tensor([1]), tensor([2])]
      })
      t.strictSame([...a.data(), ...b.data()], [1, 2], 'passed on by the inner one')
      escaped.push(a)
      return b
    })
    t.strictSame([...kept.data()], [2])
    for (const x of escaped) refuses(t, () => x.data(), ReleasedTensorError)
    kept.dispose()
  })
  t.equal(grown, 0)
})

onBothBackends('what a scope may return', (t) => {
  const outside = tensor([1])
  class Holder {
    inner = { list: [tensor([5])] }
    self = this
  }
  const x = scope(() => {
    const same = tensor([2])
    return {
      twice: [same, same],
      outside,
      view: tensor([[3, 4]]).reshape([2]),
      viewOfOutside: outside.reshape([]),
      map: new Map([['key', tensor([6])]]),
      set: new Set([tensor([7])]),
      holder: new Holder(),
      nothing: null,
      array: Float32Array.of(1),
      gone: ((y) => {
        y.dispose()
        return y
      })(tensor([8])),
    }
  })
  t.strictSame([...x.twice[0].data(), ...x.twice[1].data()], [2, 2])
  t.strictSame([...x.view.data()], [3, 4])
  t.equal(x.viewOfOutside.item(), 1)
  t.equal(x.map.get('key')?.item(), 6)
  t.equal([...x.set][0].item(), 7)
  t.equal(x.holder.inner.list[0].item(), 5)
  refuses(t, () => x.gone.item(), ReleasedTensorError)
  scope(() => outside)
  t.equal(outside.item(), 1, 'a tensor from outside stays where it was')
  scope(() => {
    scope(() => outside)
  })
  t.equal(outside.item(), 1, 'also when an inner scope returns it to an outer one')
  const trained = scope(() => {
    const w = leaf([1, 2])
    w.square().sum().backward()
    return [w]
  })
  t.strictSame(gradOf(trained[0]), [2, 4], 'a tensor with its gradient')
})

t.test('an asynchronous function in a scope', async (t) => {
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  const grown = growth(() => {
    const instead = {
      scope: '; openScope() makes a scope that stays open across await',
      noGrad: '',
    }
    for (const [op, run] of Object.entries({ scope, noGrad })) {
      refuses(
        t,
        () =>
          run(async () => {
            const x = tensor([1])
            await nextTurn()
            x.add(1)
            throw new Error('late')
          }),
        ArgumentError,
        `${op}: expected a synchronous function, got one that returns a promise${instead[op as 'scope']}`,
      )
    }
  })
  t.equal(grown, 1, 'what was made in the scope is freed')
  await nextTurn()
  await nextTurn()
  t.strictSame(unhandled, [], 'the refused function fails in silence')
  process.off('unhandledRejection', onUnhandled)
})

onBothBackends('the default generator outlives the scope of its first use', (t) => {
  setSeed(1)
  scope(() => randn([3]))
  t.doesNotThrow(() => randn([3]))
})

onBothBackends('tensors in a long chain, and in results nested without end', (t) => {
  interface Link {
    x?: Tensor
    next?: Link
  }
  const chain = scope(() => {
    let link: Link = { x: tensor([7]) }
    for (let i = 0; i < 100_000; i++) link = { next: link }
    return link
  })
  let end = chain
  while (end.next) end = end.next
  t.equal(end.x!.item(), 7)
  end.x!.dispose()
  const loop: unknown[] = []
  loop.push(loop)
  const message = /nested at most 8 deep|Map\(1\)/
  refuses(t, () => capture(() => wrong(loop))(), CaptureError, message)
  refuses(t, () => capture(() => wrong(new Map([['a', tensor([1])]])))(), CaptureError, message)
})

/** Runs asynchronous steps on both backends, and tells how many buffers they left. */
async function grownBy(backend: 'native' | 'js', fn: () => Promise<void>): Promise<number> {
  setBackend(backend)
  try {
    const [, before] = await settledMemory()
    await fn()
    return memory().buffers - before
  } finally {
    setBackend('native')
  }
}

for (const backend of ['native', 'js'] as const) {
  t.test(`an open scope across await (${backend})`, async (t) => {
    const grown = await grownBy(backend, async () => {
      using step = capture((x: Tensor) => x.mul(2).sum())
      using open = openScope()
      const x = open.run(() => tensor([1, 2, 3]))
      const y = open.add(await step.runMany(x.reshape([3, 1])))
      // Made during an await by somebody else, and outside of run.
      const [other] = await Promise.all([nextTurn().then(() => tensor([7])), nextTurn()])
      t.strictSame(open.run(() => y.add(other)).toArray(), [9, 11, 13])
      open.add({ list: [tensor([1]), new Map([['key', tensor([2])]])] })
      const w = leaf([1, 2, 3])
      open.run(() => w.mul(x).sum().backward())
      t.equal(open.run(() => scope(() => x.add(1))).data()[0], 2, 'a scope inside')
      open.dispose()
      refuses(t, () => x.data(), ReleasedTensorError)
      refuses(t, () => y.data(), ReleasedTensorError)
      t.strictSame([...other.data()], [7], 'what others made meanwhile stays')
      t.strictSame(gradOf(w), [1, 2, 3], 'and gradients of what is not its own')
      for (const mine of [other, w.grad!, w]) mine.dispose()
    })
    t.equal(grown, 0)
  })

  t.test(`using, also where it is left by an error (${backend})`, async (t) => {
    const grown = await grownBy(backend, async () => {
      const data = dataset({ inputs: [[1], [2]], targets: [0, 1] })
      const failing = async () => {
        using open = openScope()
        open.run(() => tensor([1]))
        using generator = new Generator(1)
        using model = mlp([1, 2], { generator })
        using loader = new DataLoader(data, { batchSize: 2 })
        using noise = generator.normal([2, 1])
        using step = capture((x: Tensor) => noGrad(() => model.forward(x)))
        step(noise)
        await nextTurn()
        throw new Error(`after ${loader.size} examples`)
      }
      await t.rejects(failing(), { message: 'after 2 examples' })
    })
    t.equal(grown, 0)
  })
}

t.test('what an open scope refuses', async (t) => {
  const open = openScope()
  const message = (op: string) => `${op}: expected an open scope, got a disposed one`
  refuses(
    t,
    () => open.run(async () => {}),
    ArgumentError,
    'run: expected a synchronous function, got one that returns a promise; await between two calls of run',
  )
  open.dispose()
  open.dispose()
  refuses(t, () => open.run(() => 1), ArgumentError, message('run'))
  refuses(t, () => open.add(tensor([1])), ArgumentError, message('add'))
})
