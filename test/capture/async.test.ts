/**
 * Training beside JavaScript: the event loop stays free, trainings do not disturb each other, and
 * whatever ends in the middle ends cleanly. What can be used while a program runs is in
 * captureRunning.test.ts.
 */
import { execFile } from 'node:child_process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import {
  dataset,
  fit,
  Generator,
  KernelError,
  memory,
  mlp,
  SGD,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
} from '../../lib/index.js'
import { type Ended, inChild, type Tools } from '../support/child.js'
import * as tools from '../support/childTools.mjs'
import { rejects, settledMemory } from '../support/engine.js'

setBackend('native')
/** Of an epoch of tools.training. */
const STEPS = 64

function endedWell(t: Test, { code, signal, stdout, stderr }: Ended, wanted: string, status = 0) {
  t.strictSame(
    { code, signal, stdout: stdout.trim() },
    { code: status, signal: null, stdout: wanted },
    stderr,
  )
}

t.test('the event loop turns while a network is trained', async (t) => {
  const epochs = 8
  let isDone = false
  const training = tools.training(1, { units: [784, 256, 10], epochs }).done.finally(() => {
    isDone = true
  })
  let turns = 0
  for (; !isDone; turns++) await nextTurn()
  await training
  // Thousands; on this thread, many steps of the training would go between two turns.
  t.ok(turns > epochs * STEPS, `${turns} turns`)
})

t.test('fit does not hold JavaScript up', async (t) => {
  const ended = await inChild({}, async (nb) => {
    const [size, width] = [12_000, 784]
    const inputs = new Uint8Array(size * width).map((_, i) => (i * 31) % 256)
    const targets = new Int32Array(size).map((_, i) => i % 10)
    const data = nb.dataset({ inputs, inputShape: [width], scale: 1 / 255, targets })
    const model = nb.mlp([width, 512, 512, 10])
    const optimizer = new nb.SGD(model.parameters(), { lr: 0.01 })
    const options = { loss: nb.softmaxCrossEntropy, optimizer, epochs: 2, batchSize: 128 }
    const before = performance.eventLoopUtilization()
    await nb.fit(model, data, { ...options, validation: 0.5, keepBest: true })
    // Half of it is validation, which the event loop's thread would be busy with.
    const { utilization } = performance.eventLoopUtilization(before)
    console.log(utilization < 0.3 ? 'free' : `busy for ${utilization} of the time`)
  })
  endedWell(t, ended, 'free')
})

t.test('trainings at once give the same as alone', async (t) => {
  const alone: string[] = []
  for (const seed of [1, 2, 3, 4]) alone.push(await tools.trained(seed))
  t.strictSame(await Promise.all([1, 2, 3, 4].map((seed) => tools.trained(seed))), alone)
  const ended = await inChild({}, async (_, { startWorker, trained }) => {
    const seeds = [1, 2, 3, 4]
    const workers = seeds.map((seed) => startWorker((_, tools, s) => tools.trained(s), seed))
    const answers = workers.map(
      (worker) => new Promise((resolve) => worker.once('message', resolve)),
    )
    // And one on the main thread.
    const own = trained(1)
    console.log(JSON.stringify([await own, ...(await Promise.all(answers))]))
  })
  endedWell(t, ended, JSON.stringify([alone[0], ...alone]))
})

t.test('a callback that throws', async (t) => {
  class Own extends Error {}
  for (const name of ['onStep', 'onEpoch'] as const) {
    let calls = 0
    const { done } = tools.training(1, {
      [name]: ({ epoch, step = 5 }: { epoch: number; step?: number }) => {
        calls++
        if (epoch === 2 && step === 5) throw new Own('enough')
      },
    })
    await rejects(t, done, Own, 'enough')
    t.equal(calls, name === 'onStep' ? STEPS + 5 : 2)
  }
})

t.test('aborted', async (t) => {
  const [before, between] = [new AbortController(), new AbortController()]
  before.abort()
  const none = await tools.training(1, { signal: before.signal }).done
  t.strictSame([none.ended, none.epochs.length], ['aborted', 0])
  let steps = 0
  const history = await tools.training(1, {
    epochs: 1000,
    signal: between.signal,
    onStep: () => {
      steps++
      if (steps === 3 * STEPS + 5) between.abort()
    },
  }).done
  t.equal(history.ended, 'aborted')
  t.ok(history.epochs.length === 4 && steps <= 4 * STEPS, `after ${steps} steps`)
})

t.test('whatever fails, the memory comes back', async (t) => {
  const generator = new Generator(1)
  const data = dataset({
    inputs: generator.normal([500, 20]).data(),
    inputShape: [20],
    targets: Int32Array.from({ length: 500 }, (_, i) => i % 4),
  })
  const hiding = { ...data, classes: ['0', '1', '2'] }
  const models = [4, 3].map((classes) => mlp([20, 8, classes], { generator }))
  const optimizers = models.map((model) => new SGD(model.parameters(), { lr: 0.1 }))
  const fail = () => {
    throw new RangeError('own')
  }
  const round = async () => {
    const options = { loss: softmaxCrossEntropy, optimizer: optimizers[0], epochs: 2 }
    await fit(models[0], data, options)
    await rejects(t, fit(models[0], data, { ...options, onStep: fail }), RangeError, 'own')
    await rejects(t, fit(models[0], data, { ...options, onEpoch: fail }), RangeError, 'own')
    await fit(models[0], data, { ...options, signal: AbortSignal.timeout(1), epochs: 1000 })
    // There is no class 3, which a data set made by hand can hide.
    const bad = fit(models[1], hiding, { ...options, optimizer: optimizers[1] })
    const message =
      /^softmaxCrossEntropy: labels\[\d+\]: expected an index from 0 to below 3, got 3$/
    await rejects(t, bad, KernelError, message)
  }
  await round()
  const [live, buffers] = await settledMemory()
  await round()
  t.strictSame([memory().live, memory().buffers], [live, buffers])
})

t.test('a process ends by itself, but not before its runs', async (t) => {
  const trainOnce = await inChild({}, async (nb, { trained }) => {
    await trained(1)
    process.on('exit', () => console.log(`${nb.getNumThreads() > 0}`))
  })
  endedWell(t, trainOnce, 'true')
  const nobodyWaits = await inChild({}, (nb) => {
    const f = nb.capture((x: Tensor) => x.exp().sum())
    f.runMany(nb.ones([20_000, 100])).then((sums) => console.log(sums.size))
  })
  endedWell(t, nobodyWaits, '20000')
})

// From before the first step to some way into the training.
const MOMENTS = Array.from({ length: 20 }, (_, i) => i * 4)

t.test('process.exit() in the middle', async (t) => {
  const exit = (_: unknown, { training }: Tools, delay: number) => {
    training(1, { epochs: 1000 })
    training(2, { epochs: 1000 })
    setTimeout(() => process.exit(7), delay)
  }
  for (const delay of MOMENTS) endedWell(t, await inChild({}, exit, delay), '', 7)
  const inCallback = await inChild({}, (_, { training }) => {
    training(1, { epochs: 1000, onStep: ({ step }) => step === 9 && process.exit(6) })
  })
  endedWell(t, inCallback, '', 6)
  const uncaught = await inChild({}, (_, { training }) => {
    training(1, { epochs: 1000 })
    process.on('uncaughtExceptionMonitor', () => console.log('uncaught'))
    setTimeout(() => {
      throw new Error('own')
    }, 30)
  })
  endedWell(t, uncaught, 'uncaught', 1)
})

t.test('worker.terminate() in the middle', async (t) => {
  const terminate = async (_: unknown, tools: Tools, moments: number[]) => {
    const alone = await tools.trained(1)
    for (const moment of moments) {
      const workers = [3, 4].map((seed) =>
        tools.startWorker((_, { training }, seed) => training(seed, { epochs: 1000 }).done, seed),
      )
      const own = tools.trained(1)
      await Promise.all(workers.map((worker) => new Promise((on) => worker.once('online', on))))
      await tools.sleep(moment)
      const codes = await Promise.all(workers.map((worker) => worker.terminate()))
      if (codes.some((code) => code !== 1)) console.log(`a worker ended by itself: ${codes}`)
      if ((await own) !== alone) console.log('the training of the main thread was disturbed')
    }
    console.log('done')
  }
  endedWell(
    t,
    await inChild(
      {},
      terminate,
      MOMENTS.map((moment) => 3 * moment),
    ),
    'done',
  )
})

t.test('what waits for a long run', async (t) => {
  const ended = await inChild({}, async (nb, { startWorker, sleep }) => {
    const f = nb.capture((x: Tensor) => x.matmul(x).sum())
    let isOver = false
    const long = f.runMany(nb.ones([20_000, 100, 100])).finally(() => {
      isOver = true
    })
    const worker = startWorker((_, { training }) => training(1, { epochs: 1000 }).done)
    await new Promise((resolve) => worker.once('online', resolve))
    await sleep(100)
    await worker.terminate()
    nb.setNumThreads(2)
    console.log(isOver ? 'waited for the end' : 'did not wait')
    f.dispose()
    await long.catch((error) => console.log(error.message))
  })
  const message = 'capture: it was disposed of while it was running'
  endedWell(t, ended, `did not wait\n${message}`)
})

t.test('a call does not wait for the end of a long run elsewhere', async (t) => {
  const ended = await inChild({}, async (nb, { startWorker, sleep }) => {
    const worker = startWorker(async (nb) => {
      const f = nb.capture((x: Tensor) => x.matmul(x).sum())
      await f.runMany(nb.ones([20_000, 100, 100]))
      return Date.now()
    })
    const workerEnd = new Promise<number>((resolve) => worker.once('message', resolve))
    const f = nb.capture((x: Tensor) => x.matmul(x).sum())
    await new Promise((resolve) => worker.once('online', resolve))
    await sleep(300)
    const begin = Date.now()
    for (let i = 0; i < 5; i++) f(nb.ones([50, 50]))
    const end = Date.now()
    const over = await workerEnd
    if (over < begin) console.log('the long run was too short')
    else console.log(end < over ? 'before' : `after ${end - begin} ms`)
  })
  endedWell(t, ended, 'before')
})

t.test('the addon outlives the only worker that loaded it', async (t) => {
  const library = new URL('../../lib/index.js', import.meta.url)
  const inWorker = `
    import { capture, ones, setNumThreads } from '${library}'
    setNumThreads(3)
    await capture((x) => x.exp().sum()).run(ones([1000, 300]))`
  const text = `
    import { Worker } from 'node:worker_threads'
    const url = new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(inWorker)}))
    for (let i = 0; i < 5; i++) await new Promise((ended) => new Worker(url).once('exit', ended))
    console.log('alive')`
  const node = [process.execPath, '--input-type=module', '-e', text]
  const { stdout } = await promisify(execFile)(node[0], node.slice(1))
  t.equal(stdout, 'alive\n')
})
