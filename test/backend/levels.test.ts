/**
 * The same trainings, to the bit, at every vector level that this CPU has, as anywhere else: their
 * weights are compared with digests that were made once (NEUROBLAS_WRITE_FIXTURES=1 makes them anew,
 * after a change that is meant to change them).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { loadAddon } from '../../lib/backend/native/addon.js'
import type { Tensor } from '../../lib/index.js'
import { inChild } from '../support/child.js'

const fixture = new URL('../fixtures/digests.json', import.meta.url)
const { gemm, simd } = loadAddon().info()
const levels = { avx512: ['avx512', 'avx2'], avx2: ['avx2'] }[simd] ?? [simd]

/** Digests of weights after some trainings, by their names. */
function digests(level: string) {
  return inChild({ env: { NEUROBLAS_SIMD: level } }, async (nb) => {
    const { createHash } = await import('node:crypto')
    nb.setBackend('native')
    const found: Record<string, string> = {}
    const digest = (tensors: Iterable<{ data(): { buffer: ArrayBufferLike } }>) => {
      const hash = createHash('sha256')
      for (const x of tensors) hash.update(new Uint8Array(x.data().buffer))
      return hash.digest('hex').slice(0, 16)
    }
    const optimizers = {
      sgd: (w: readonly Tensor[]) => new nb.SGD(w, { lr: 0.1, regularizer: nb.l1(1e-4) }),
      nesterov: (w: readonly Tensor[]) =>
        new nb.SGD(w, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
      adam: (w: readonly Tensor[]) => new nb.Adam(w, { lr: 1e-3 }),
    }
    for (const [activation, units, size] of [
      ['relu', [50, 70, 10], 33],
      ['tanh', [20, 150, 3], 1],
      ['sigmoid', [300, 64, 65, 7], 128],
      ['relu', [700, 129, 2], 300],
    ] as const) {
      for (const [name, optimizer] of Object.entries(optimizers)) {
        for (const threads of [1, 2]) {
          nb.setNumThreads(threads)
          const generator = new nb.Generator(1)
          const model = nb.mlp([...units], { generator, activation })
          const used = optimizer(model.parameters())
          const xs = generator.normal([10, size, units[0]])
          const labels = Int32Array.from({ length: 10 * size }, (_, i) => i % units.at(-1)!)
          const step = nb.capture((x: typeof xs, y) => {
            const risk = nb.softmaxCrossEntropy(model.forward(x), y)
            risk.backward()
            used.step()
            used.zeroGrad()
            return risk
          })
          await step.runMany(xs, nb.tensor(labels).reshape([10, size]))
          found[`${activation} ${units} ${size} ${name} ${threads}`] = digest(model.parameters())
        }
      }
    }
    const generator = new nb.Generator(2)
    for (const [m, k, n] of [
      [1, 1000, 200],
      [65, 2050, 70],
    ]) {
      const [a, b] = [generator.normal([m, k]), generator.normal([k, n])]
      found[`product ${m} ${k} ${n}`] = digest([
        a.matmul(b),
        b.matmul(a, { transA: true, transB: true }),
      ])
    }
    console.log(JSON.stringify(found))
  })
}

const skip = gemm === 'own' ? false : 'OpenBLAS computes: bits depend on its kernels'
t.test('every level gives the digests that any machine gives', { skip }, async (t) => {
  for (const level of levels) {
    const { stdout, stderr } = await digests(level)
    if (process.env.NEUROBLAS_WRITE_FIXTURES) writeFileSync(fixture, stdout)
    const wanted = JSON.parse(readFileSync(fixture, 'utf8'))
    t.strictSame(JSON.parse(stdout || '{}'), wanted, `${level} ${stderr}`)
  }
})

t.test('the numbers of threads agree', { skip }, async (t) => {
  const wanted: Record<string, string> = JSON.parse(readFileSync(fixture, 'utf8'))
  for (const [name, digest] of Object.entries(wanted)) {
    if (name.endsWith(' 2')) t.equal(wanted[name.replace(/2$/, '1')], digest, name)
  }
})
