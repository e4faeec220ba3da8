/**
 * The same trainings, to the bit, at every vector level that this CPU has, as anywhere else: their
 * weights are compared with digests that were made once (NEUROBLAS_WRITE_FIXTURES=1 makes them anew,
 * after a change that is meant to change them).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { inChild, type Library, type Tools } from '../support/child.js'

const fixture = new URL('../fixtures/digests.json', import.meta.url)
const { gemm, simd } = loadAddon().info()
const levels = { avx512: ['avx512', 'avx2'], avx2: ['avx2'] }[simd] ?? [simd]

/** Digests of weights after some trainings, by their names. */
function digests(level: string) {
  const module = new URL('../support/digests.mjs', import.meta.url).href
  const run = async (nb: Library, _: Tools, module: string) => {
    nb.setBackend('native')
    const { digests } = await import(module)
    console.log(JSON.stringify(await digests(nb)))
  }
  return inChild({ env: { NEUROBLAS_SIMD: level } }, run, module)
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
