/** Other libraries behind the name of OpenBLAS than the one that the addon was built with. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { inChild } from '../support/child.js'

const SONAME = 'libopenblas.so.0'
const openmp = ['/usr/lib', '/usr/lib64']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name, 'openblas-openmp')))
  .find((folder) => existsSync(join(folder, SONAME)))

t.test(
  'a build for OpenMP gives the same bits on every thread and for any number of them',
  { skip: openmp === undefined && 'libopenblas0-openmp is not installed' },
  async (t) => {
    const { stdout, stderr } = await inChild(
      { env: { LD_LIBRARY_PATH: openmp!, OMP_NUM_THREADS: '4' } },
      async (nb) => {
        const { createHash } = await import('node:crypto')
        const { readFileSync } = await import('node:fs')
        nb.setBackend('native')
        const generator = new nb.Generator(1)
        const digests: string[] = []
        for (const threads of [1, 2, 4]) {
          nb.setNumThreads(threads)
          // On the driver's thread with the helpers, and on this one; the last by a vector routine.
          const [awaited, direct] = [createHash('sha256'), createHash('sha256')]
          for (const [m, k, n] of [
            [256, 256, 256],
            [64, 784, 512],
            [1000, 2000, 1],
          ]) {
            generator.restore([1, 2, 3, 4])
            const [a, b] = [generator.normal([m, k]), generator.normal([k, n])]
            const product = nb.capture((x: typeof a, y: typeof a) => x.matmul(y))
            awaited.update(Buffer.from((await product.run(a, b)).data().buffer))
            direct.update(Buffer.from(a.matmul(b).data().buffer))
          }
          digests.push(awaited.digest('hex'), direct.digest('hex'))
        }
        const used = readFileSync('/proc/self/maps', 'utf8').match(/\S*libopenblas\S*/)
        console.log(used?.[0], new Set(digests).size)
      },
    )
    t.match(stdout, /openblas-openmp\/\S* 1\n$/, stderr)
  },
)

t.test('a library without the functions is no crash', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'openblas-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const args = ['-shared', '-xc', '/dev/null', `-Wl,-soname,${SONAME}`, '-o', join(folder, SONAME)]
  execFileSync(process.env.CXX ?? 'g++', args)
  const { stdout, stderr, signal } = await inChild({ env: { LD_LIBRARY_PATH: folder } }, (nb) => {
    console.log(nb.ones([2]).sum().item(), nb.getBackend())
  })
  t.equal(signal, null)
  t.equal(stdout, '2 js\n', stderr)
  t.match(stderr, /NeuroblasWarning: native addon: cannot be loaded \(.*undefined symbol.*\)/)
})
