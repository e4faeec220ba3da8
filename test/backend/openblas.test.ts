/** The OpenBLAS that the system has, another library by its name, and none. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { inChild } from '../support/child.js'
import { runCommand } from '../support/cli.js'

const SONAME = 'libopenblas.so.0'
const openmp = ['/usr/lib', '/usr/lib64']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name, 'openblas-openmp')))
  .find((folder) => existsSync(join(folder, SONAME)))

// Each of these tests says for itself what computes.
delete process.env.NEUROBLAS_GEMM
delete process.env.NEUROBLAS_SIMD

/** The environment in which a library made of this C stands before the system's OpenBLAS. */
function withLibrary(t: Test, source: string): Record<string, string> {
  const folder = t.testdir({ 'library.c': source })
  const args = ['-shared', '-fPIC', '-xc', join(folder, 'library.c'), '-o', join(folder, SONAME)]
  execFileSync(process.env.CXX ?? 'g++', args)
  return { LD_LIBRARY_PATH: folder }
}

/** The environment in which none of its names leads to a library. */
function withoutOpenblas(t: Test): Record<string, string> {
  const folder = t.testdir({})
  for (const name of [SONAME, 'libopenblas.so']) writeFileSync(join(folder, name), '')
  return { LD_LIBRARY_PATH: folder }
}

async function infoIn(env: Record<string, string>) {
  const { stdout } = await runCommand(['info', '--json'], { env })
  return JSON.parse(stdout)
}

t.test(
  'a build for OpenMP gives the same bits on every thread and for any number of them',
  { skip: openmp === undefined && 'libopenblas0-openmp is not installed' },
  async (t) => {
    const env = { LD_LIBRARY_PATH: openmp!, OMP_NUM_THREADS: '4', NEUROBLAS_GEMM: 'openblas' }
    const { stdout, stderr } = await inChild({ env }, async (nb) => {
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
    })
    t.match(stdout, /openblas-openmp\/\S* 1\n$/, stderr)
    t.match(await infoIn(env), { openblas: /OpenBLAS/, openblasThreading: 'OpenMP' })
  },
)

t.test('it is opened when something asks for it', async (t) => {
  const { stdout, stderr } = await inChild({ env: { NEUROBLAS_BACKEND: 'native' } }, async (nb) => {
    const { readFileSync } = await import('node:fs')
    const { dot } = await import('neuroblas/blas')
    const isOpen = () => readFileSync('/proc/self/maps', 'utf8').includes('libopenblas')
    const captured = nb.capture(() =>
      nb
        .ones([2, 2])
        .matmul(nb.ones([2, 2]))
        .sum(),
    )
    const sum = (await captured.run()).item()
    const before = isOpen()
    console.log(sum, before, dot(1, Float64Array.of(2), 1, Float64Array.of(3), 1), isOpen())
  })
  const { openblas, products } = await infoIn({})
  const isThere = openblas !== null
  // Without fused multiply-add the product wants it.
  t.equal(stdout, `8 ${isThere && products === 'openblas'} 6 ${isThere}\n`, stderr)
})

t.test('other libraries by its name are told apart, and not used', async (t) => {
  const openblas = `
    const char* openblas_get_corename() { return "Haswell"; }
    int openblas_get_parallel() { return 0; }
    int openblas_get_num_threads() { return 1; }
    void openblas_set_num_threads(int n) {}`
  const config = (text: string) => `const char* openblas_get_config() { return "${text}"; }`
  const routines = ['gemm', 'gemv', 'ger', 'axpy', 'dot']
    .flatMap((name) => [`cblas_s${name}`, `cblas_d${name}`])
    .map((name) => `void ${name}() { __builtin_trap(); }`)
    .join('\n')
  for (const [source, problem] of [
    [routines, 'it is another library than OpenBLAS'],
    [openblas + config('OpenBLAS 0.3.21'), 'it was built without CBLAS'],
    [
      openblas + routines + config('OpenBLAS 0.3.21 USE64BITINT'),
      'it was built for 64-bit integers',
    ],
  ]) {
    t.test(problem, async (t) => {
      const env = withLibrary(t, source)
      t.match(await infoIn(env), {
        backend: 'native',
        openblas: null,
        openblasProblem: `${SONAME}: ${problem}`,
        core: null,
        openblasThreads: null,
      })
      const { stdout, stderr } = await inChild({ env }, (nb) =>
        console.log(
          nb
            .ones([2, 3])
            .matmul(nb.ones([3, 2]))
            .sum()
            .item(),
          nb.getBackend(),
        ),
      )
      t.equal(stdout, '12 native\n', stderr)
    })
  }
})

t.test('without it', async (t) => {
  const env = withoutOpenblas(t)
  // Where products are its task.
  const withoutFma = { ...env, NEUROBLAS_SIMD: 'baseline' }

  t.test('info says so, and what computes instead', async (t) => {
    const { stdout } = await runCommand(['info'], { env })
    t.match(
      stdout,
      /^OpenBLAS +not loaded \(.*libopenblas\.so\.0: .*\): the addon computes it all$/m,
    )
    t.match(stdout, /^threads +\d+ \(OpenBLAS: not loaded\)$/m)
  })

  t.test('training gives the same bits for any number of threads', async (t) => {
    const { stdout, stderr } = await inChild({ env: withoutFma }, async (nb) => {
      nb.setBackend('native')
      const { createHash } = await import('node:crypto')
      async function trained(threads: number, isCaptured: boolean): Promise<string> {
        nb.setNumThreads(threads)
        nb.setSeed(1)
        const model = nb.mlp([300, 130, 10])
        const optimizer = new nb.SGD(model.parameters(), { lr: 0.1 })
        const x = new nb.Generator(1).normal([65, 300])
        const labels = nb.tensor(Int32Array.from({ length: 65 }, (_, i) => i % 10))
        const step = () => {
          optimizer.zeroGrad()
          const loss = nb.softmaxCrossEntropy(model.forward(x), labels)
          loss.backward()
          optimizer.step()
          return loss
        }
        const captured = nb.capture(step)
        for (let i = 0; i < 3; i++) isCaptured ? await captured.run() : step()
        const hash = createHash('sha256')
        for (const w of model.parameters()) hash.update(Buffer.from(w.data().buffer))
        return hash.digest('hex')
      }
      for (const isCaptured of [false, true]) {
        console.log((await trained(1, isCaptured)) === (await trained(2, isCaptured)))
      }
    })
    t.equal(stdout, 'true\ntrue\n', stderr)
  })

  t.test('it cannot be asked for', async (t) => {
    const { code, stderr } = await runCommand(['info'], {
      env: { ...env, NEUROBLAS_GEMM: 'openblas' },
    })
    t.equal(code, 1)
    t.match(stderr, /NEUROBLAS_GEMM: expected a machine with OpenBLAS.*install it.*or leave/)
  })

  t.test('bare BLAS has nothing to be measured by', async (t) => {
    const args = [
      'bench',
      '--cases',
      'P1',
      '--contestants',
      'bare',
      '--rounds',
      '1',
      '--seconds',
      '0.01',
    ]
    const { stdout, stderr } = await runCommand(args, { env })
    t.match(stdout, /bare BLAS needs OpenBLAS \(.*libopenblas/, stderr)
  })

  for (const [file, environment] of [
    ['../blas/blas.test.ts', env],
    ['products.test.ts', withoutFma],
  ] as const) {
    const path = fileURLToPath(new URL(file, import.meta.url))
    t.spawn(
      process.execPath,
      [...process.execArgv, path],
      { env: { ...process.env, ...environment } },
      file,
    )
  }
})
