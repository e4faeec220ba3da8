/**
 * Results do not depend on the number of threads, to the bit, and how many threads there are. The
 * shares of each kernel are compared without threads in native/test/chunks_test.cc.
 */
import { spawnSync } from 'node:child_process'
import type { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { type DType, dtypes, type TypedArray } from '../../lib/backend/dtype.js'
import { type KernelName, kernels } from '../../lib/backend/kernels.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import type { Place } from '../../lib/backend/program.js'
import type { TapeStep } from '../../lib/backend/tape.js'
import type * as library from '../../lib/index.js'
import { ArgumentError, getNumThreads, setNumThreads } from '../../lib/index.js'
import { type Arg, bufferOf } from '../support/case.js'
import { inChild, type Library } from '../support/child.js'
import { cases } from '../support/kernelCases.js'
import { refuses, wrong } from '../support/reference.js'

const THREADS = [1, 2, 3, 4, 8]
const native = new NativeBackend()
const atFirst = getNumThreads()

t.test('the number of threads', async (t) => {
  t.ok(atFirst >= 1)
  setNumThreads(7)
  t.equal(getNumThreads(), 7)
  for (const threads of [0, -1, 1.5, 257, Number.NaN, Infinity, wrong('2')]) {
    const message = `setNumThreads: expected an integer from 1 to 256, got ${threads}`
    refuses(t, () => setNumThreads(threads), ArgumentError, message)
  }
  t.equal(getNumThreads(), 7)
  setNumThreads(atFirst)
})

t.test('each worker has a number of its own', async (t) => {
  const { stdout, stderr } = await inChild({}, async (nb, { startWorker, trained }) => {
    nb.setNumThreads(3)
    const answer = (worker: Worker) => new Promise((on) => worker.once('message', on))
    const [one, other] = [1, 2].map((threads) =>
      startWorker(async (nb, { trained }, threads) => {
        const before = nb.getNumThreads()
        nb.setNumThreads(threads)
        const weights = await trained(1)
        return [before, nb.getNumThreads(), weights]
      }, threads),
    )
    const own = await trained(1)
    const answers = (await Promise.all([one, other].map(answer))) as [number, number, string][]
    console.log(
      JSON.stringify({
        own: nb.getNumThreads(),
        before: answers.map(([before]) => before),
        after: answers.map(([, after]) => after),
        same: answers.every(([, , weights]) => weights === own),
      }),
    )
  })
  t.equal(stderr, '')
  const byDefault = (await inChild({}, (nb) => console.log(nb.getNumThreads()))).stdout
  t.strictSame(JSON.parse(stdout), {
    own: 3,
    before: [Number(byDefault), Number(byDefault)],
    after: [1, 2],
    same: true,
  })
})

const lengthOf = (arg: Arg) =>
  typeof arg === 'number' || 'alias' in arg ? 0 : bufferOf(arg).length

/** What a call leaves in its buffers, run by itself or as a program with that many threads. */
function leaves(kernel: KernelName, args: Arg[], threads?: number): Uint8Array[] {
  const places: Place[] = []
  const positions: number[] = []
  const enter = (data: TypedArray, dtype: DType) => {
    const shared = native.alloc(data.length, dtype)
    native.write(shared, data)
    return places.push({ dtype, length: data.length, shared }) - 1
  }
  for (const arg of args) {
    if (typeof arg === 'number') positions.push(arg)
    else if ('alias' in arg) positions.push(positions[arg.alias])
    else {
      const { dtype, length, data } = bufferOf(arg)
      positions.push(enter(data ?? new dtypes[dtype].array(length), dtype))
    }
  }
  if (threads === undefined) {
    const isNumber = kernels[kernel].map((row) => /:(size|float)$/.test(row))
    const call = positions.map((value, i) => (isNumber[i] ? value : places[value].shared!))
    native.run(kernel, ...(call as never))
  } else {
    // Wakes the threads, which a short program would not.
    const filled: Place = { dtype: 'float32', length: 200_000, offset: 0 }
    const fill: TapeStep = { kernel: 'fill', args: [places.length, filled.length, 1] }
    const steps = [fill, { kernel, args: positions }]
    setNumThreads(threads)
    const program = native.compile({
      arenaBytes: 800_000,
      places: [...places, filled],
      steps,
      panels: [],
    })
    program.runSync(1, [])
    program.dispose()
  }
  const isScratch = new Set(positions.filter((_, i) => kernels[kernel][i].includes(':scratch')))
  return places.flatMap(({ shared, dtype, length }, i) => {
    const data = new dtypes[dtype].array(length)
    native.read(shared!, data)
    native.release(shared!)
    return isScratch.has(i) ? [] : [new Uint8Array(data.buffer)]
  })
}

t.test('kernels', async (t) => {
  let calls = 0
  for (const kernel of Object.keys(kernels) as KernelName[]) {
    // Shorter ones are not shared.
    for (const args of cases[kernel]()) {
      if (Math.max(...args.map(lengthOf)) < 16384) continue
      setNumThreads(1)
      const alone = leaves(kernel, args)
      calls++
      for (const threads of THREADS) {
        const isAlone = (bytes: Uint8Array, i: number) => Buffer.compare(bytes, alone[i]) === 0
        if (!leaves(kernel, args, threads).every(isAlone)) t.fail(`${kernel}, ${threads} threads`)
        // A large call by itself, too.
        if (!leaves(kernel, args).every(isAlone)) t.fail(`${kernel} eagerly, ${threads} threads`)
      }
    }
  }
  t.ok(calls > 300, `${calls} calls`)
  setNumThreads(atFirst)
})

/** Trains the benchmark's networks and multiplies matrices of many shapes, in a child process. */
async function compute(nb: Library, _: unknown, threadCounts: number[]): Promise<void> {
  const { createHash } = await import('node:crypto')
  const digest = (tensors: library.Tensor[]) => {
    const hash = createHash('sha256')
    for (const x of tensors) hash.update(x.data())
    return hash.digest('hex').slice(0, 16)
  }
  const labels = (n: number) => nb.tensor(Int32Array.from({ length: n }, (_, i) => (i * 7) % 10))
  const train = async (units: number[], batch: number, kind: string) => {
    const generator = new nb.Generator(1)
    const model = nb.mlp(units, { generator })
    const parameters = model.parameters()
    const optimizer =
      kind === 'Adam'
        ? new nb.Adam(parameters, { lr: 0.001 })
        : new nb.SGD(parameters, { lr: 0.01, momentum: kind === 'momentum' ? 0.9 : 0 })
    const step = nb.capture((x: library.Tensor, y: library.Tensor<'int32'>) => {
      const risk = nb.softmaxCrossEntropy(model.forward(x), y)
      risk.backward()
      optimizer.step()
      optimizer.zeroGrad()
      return risk
    })
    // Half of the inputs are zero, as in images.
    const x = generator.normal([batch, units[0]]).relu()
    const risks: library.Tensor[] = []
    for (let i = 0; i < 3; i++) risks.push((await step.run(x, labels(batch))).clone())
    step.dispose()
    return digest([...risks, ...parameters])
  }
  const multiply = (m: number, n: number, k: number) => {
    const generator = new nb.Generator(m + n + k)
    const make = (rows: number, cols: number) => generator.normal([rows, cols])
    const products = nb.capture((...x: library.Tensor[]) => [
      x[0].matmul(x[2]),
      x[0].matmul(x[3], { transB: true }),
      x[1].matmul(x[2], { transA: true }),
      x[1].matmul(x[3], { transA: true, transB: true }),
    ])
    const found = digest(products(make(m, k), make(k, m), make(k, n), make(n, k)))
    products.dispose()
    return found
  }
  const results: Record<string, string[]> = {}
  const add = (name: string, found: string) => {
    ;(results[name] ??= []).push(found)
  }
  const networks: [number[], number, string][] = [
    [[784, 128, 10], 1, 'SGD'],
    [[784, 128, 10], 32, 'SGD'],
    [[784, 128, 10], 128, 'SGD'],
    [[784, 1024, 1024, 10], 128, 'SGD'],
    [[784, 512, 512, 10], 1024, 'SGD'],
    [[784, 1000, 500, 10], 64, 'SGD'],
    [[784, 1000, 500, 10], 64, 'momentum'],
    [[784, 1000, 500, 10], 64, 'Adam'],
  ]
  const shapes = [
    [32, 128, 784],
    [128, 1024, 784],
    [784, 1000, 64],
    [512, 512, 512],
    [33, 33, 10_000],
    [65, 65, 4000],
    [257, 129, 301],
    [1000, 33, 250],
    [700, 701, 3],
    [1, 3000, 500],
    [3000, 1, 500],
    [3000, 500, 1],
  ]
  for (const threads of threadCounts) {
    nb.setNumThreads(threads)
    for (const [units, batch, kind] of networks) {
      add(`${units} with batches of ${batch}, ${kind}`, await train(units, batch, kind))
    }
    for (const [m, n, k] of shapes) add(`${m} x ${n} x ${k}`, multiply(m, n, k))
  }
  console.log(JSON.stringify(results))
}

async function sameForAll(t: Test, env: Record<string, string>): Promise<void> {
  const { stdout, stderr, code } = await inChild({ env }, compute, THREADS)
  t.equal(code, 0, stderr)
  for (const [name, found] of Object.entries<string[]>(JSON.parse(stdout || '{}'))) {
    t.strictSame(found, Array(THREADS.length).fill(found[0]), name)
  }
}

const { simd } = loadAddon().info()
const hasAvx2 = simd.startsWith('avx')
t.test('trainings and products', (t) => sameForAll(t, {}))
t.test('on AVX2', { skip: !hasAvx2 }, (t) => sameForAll(t, { NEUROBLAS_SIMD: 'avx2' }))
t.test('without AVX', { skip: process.arch !== 'x64' }, (t) =>
  sameForAll(t, { NEUROBLAS_SIMD: 'baseline' }),
)

t.test('NEUROBLAS_NUM_THREADS', async (t) => {
  const show = (nb: Library) => {
    try {
      console.log(nb.getNumThreads())
    } catch (error) {
      console.log(`${(error as Error).name}: ${(error as Error).message}`)
    }
  }
  const refusal = (value: string) =>
    `ArgumentError: NEUROBLAS_NUM_THREADS: expected an integer from 1 to 256, got ${value}`
  const expected = {
    1: '1',
    5: '5',
    256: '256',
    '': (await inChild({}, show)).stdout.trim(),
    0: refusal('0'),
    257: refusal('257'),
    2.5: refusal('2.5'),
    two: refusal('two'),
  }
  for (const [value, wanted] of Object.entries(expected)) {
    const { stdout } = await inChild({ env: { NEUROBLAS_NUM_THREADS: value } }, show)
    t.equal(stdout.trim(), wanted, `"${value}"`)
  }
})

const hasTaskset = spawnSync('taskset', ['-c', '0', 'true']).status === 0
t.test('a process that may use one processor has one thread', { skip: !hasTaskset }, async (t) => {
  const before = ['taskset', '-c', '0']
  const { stdout } = await inChild({ before }, (nb) => console.log(nb.getNumThreads()))
  t.equal(stdout.trim(), '1')
})
