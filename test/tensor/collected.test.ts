/**
 * Memory that the collector frees: within bounds also where a loop never pauses, and told to V8. Each in
 * a process of its own, with nothing around it; what is measured is what was promised, whenever the
 * collector runs.
 */
import t from 'tap'
import type { Tensor } from '../../lib/index.js'
import { inChild } from '../support/child.js'

const MiB = 2 ** 20
// native live + pooled stays below 3 × what is reachable + this.
const SLACK = 256 * MiB

t.test('loops without scopes', async (t) => {
  const { stdout, stderr } = await inChild({}, async (nb) => {
    nb.setBackend('native')
    let peak = 0
    const look = () => {
      const { live, pooled } = nb.memory()
      peak = Math.max(peak, live + pooled)
    }
    const peakOf = async (loop: () => unknown) => {
      nb.trimMemory()
      peak = 0
      await loop()
      return peak
    }
    const model = nb.mlp([784, 256, 10])
    const x = nb.ones([128, 784])
    const large = nb.ones([2 ** 20])
    const peaks = {
      forward: await peakOf(() => {
        for (let i = 0; i < 1500; i++) {
          model.forward(x).data()
          look()
        }
      }),
      microtasks: await peakOf(async () => {
        for (let i = 0; i < 150; i++) {
          large.add(1)
          await null
          look()
        }
      }),
      turns: await peakOf(async () => {
        for (let i = 0; i < 150; i++) {
          large.add(1)
          await new Promise((resolve) => setImmediate(resolve))
          look()
        }
      }),
      // Scopes that pass large tensors on, which the collector owns from then on.
      passedOn: await peakOf(() => {
        for (let i = 0; i < 150; i++) {
          nb.scope(() => large.add(1))
          look()
        }
      }),
      replays: await peakOf(async () => {
        const step = nb.capture((x: Tensor) => x.mul(2).sum())
        for (let i = 0; i < 150; i++) {
          await step.run(nb.ones([2 ** 20]))
          look()
        }
      }),
      // Each with an arena of 4 MB and more.
      captured: await peakOf(() => {
        for (let i = 0; i < 100; i++) {
          nb.capture((x: Tensor) => x.add(1).exp().transpose().add(1))(large.reshape([1024, 1024]))
          look()
        }
      }),
    }
    // Bytes of weights and inputs, and of what is computed at a time.
    const reachable = nb.memory().live
    console.log(JSON.stringify({ peaks, reachable }))
  })
  const { peaks } = JSON.parse(stdout || JSON.stringify(stderr))
  // The weights 0.8 MB, x 0.4 MB, a tensor of 4 MB; in the last loop one function with its buffers.
  const reachable = 32 * MiB
  for (const [name, peak] of Object.entries<number>(peaks)) {
    t.ok(peak < 3 * reachable + SLACK, `${name}: ${(peak / MiB).toFixed(0)} MiB`)
  }
})

t.test('what is reachable stays, however often the rest is collected', async (t) => {
  const { stdout, stderr } = await inChild({}, async (nb) => {
    nb.setBackend('native')
    const kept: Tensor[] = []
    let peak = 0
    for (let i = 0; i < 300; i++) {
      const x = nb.full([2 ** 20], i)
      if (i % 10 === 0) kept.push(x)
      x.add(1)
      const { live, pooled } = nb.memory()
      peak = Math.max(peak, live + pooled)
    }
    const w = nb.ones([2 ** 20])
    w.requiresGrad = true
    // A graph keeps what its backward needs.
    let loss = w.mul(1)
    for (let i = 0; i < 100; i++) loss = loss.mul(1)
    loss.sum().backward()
    console.log(
      JSON.stringify({
        peak,
        sums: kept.map((x) => x.mean().item()),
        gradient: w.grad!.sum().item(),
      }),
    )
  })
  const { peak, sums, gradient } = JSON.parse(stdout || JSON.stringify(stderr))
  t.strictSame(
    sums,
    Array.from({ length: 30 }, (_, i) => 10 * i),
  )
  t.equal(gradient, 2 ** 20)
  t.ok(peak < 3 * 124 * MiB + SLACK, `${(peak / MiB).toFixed(0)} MiB`)
})

t.test('small tensors: their number is bounded, too', async (t) => {
  const { stdout, stderr } = await inChild({}, async (nb) => {
    nb.setBackend('native')
    const a = nb.zeros([4])
    let most = 0
    for (let i = 0; i < 1_000_000; i++) {
      a.add(1)
      if (i % 1000 === 0) most = Math.max(most, nb.memory().buffers)
    }
    console.log(most)
  })
  const most = Number(stdout)
  t.ok(most > 0 && most < 600_000, `at most ${most} buffers, ${stderr}`)
})

t.test('V8 is told of what it can free', async (t) => {
  const { stdout, stderr } = await inChild({}, async (nb) => {
    nb.setBackend('native')
    nb.zeros([1])
    const { loadAddon } = await import('./lib/internal.js' as string)
    const { external } = loadAddon()
    const before = external()
    const x = nb.zeros([2 ** 24])
    const during = external()
    const y = nb.scope(() => {
      nb.zeros([2 ** 24]) // freed by the scope whatever V8 does
      return [external(), nb.zeros([2 ** 24])] as const
    })
    const passedOn = external()
    x.dispose()
    y[1].dispose()
    console.log(
      JSON.stringify([during - before, y[0] - during, passedOn - during, external() - before]),
    )
  })
  const told = JSON.parse(stdout || JSON.stringify(stderr)).map((bytes: number) =>
    Math.round(bytes / 2 ** 26),
  )
  t.strictSame(told, [1, 0, 1, 0], 'in units of one tensor')
})

t.test('trimMemory gives back what is kept for reuse', async (t) => {
  for (const backend of ['native', 'js'] as const) {
    const { stdout, stderr } = await inChild(
      {},
      async (nb, _tools, backend) => {
        nb.setBackend(backend)
        const kept = nb.ones([1000])
        for (const size of [10, 1e5, 3e6]) nb.zeros([size]).dispose()
        const { pooled } = nb.memory()
        const rss = process.memoryUsage().rss
        const freed = nb.trimMemory()
        const fallen = rss - process.memoryUsage().rss
        const after = nb.memory()
        console.log(
          JSON.stringify({
            pooled,
            freed,
            fallen,
            after,
            again: nb.trimMemory(),
            sum: kept.sum().item(),
          }),
        )
      },
      backend,
    )
    const { pooled, freed, fallen, after, again, sum } = JSON.parse(
      stdout || JSON.stringify(stderr),
    )
    t.ok(pooled >= 12.4e6, `${backend}: ${pooled}`)
    t.equal(freed, pooled)
    t.strictSame([after.pooled, again, sum], [0, 0, 1000])
    // Native memory goes at once, that of typed arrays when they are collected.
    if (backend === 'native') t.ok(fallen > 11e6, `the process is ${fallen} bytes smaller`)
  }
})
