/** Memory that nobody disposed of, other threads of JavaScript, and the kernels in JavaScript. */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type * as TensorFlow from '@tensorflow/tfjs'
import t from 'tap'
import type { NeuroblasBackend } from '../../lib/frontends/tfjs/index.js'
import '../../lib/frontends/tfjs/index.js'
import { inChild } from '../support/child.js'
import { startWorker } from '../support/childTools.mjs'

const tf: typeof TensorFlow = createRequire(import.meta.url)('@tensorflow/tfjs')

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const MEGABYTE = 2 ** 20

t.test('undisposed results are collected, as on cpu', async (t) => {
  await tf.setBackend('neuroblas')
  const { device } = tf.backend() as unknown as NeuroblasBackend
  const before = device.memory().live
  for (let i = 0; i < 100; i++) {
    // Two results of a megabyte, of which cpu would keep none.
    tf.add(tf.ones([MEGABYTE / 4]), 1)
    if (i % 10 === 0) {
      collect()
      await setImmediate()
    }
  }
  collect()
  await setImmediate()
  tf.ones([1]).dispose()
  t.ok(device.memory().live - before < 50 * MEGABYTE)
})

/** Loaded by programs of their own. */
const tfjsNode = String(new URL('../../lib/frontends/tfjsNode/index.js', import.meta.url))

t.test('in a Worker', async (t) => {
  const worker = startWorker(async (_nb, _tools, module: string) => {
    const tf = await import(module)
    await tf.ready()
    const ones = tf.ones([64, 64])
    return [tf.getBackend(), tf.sum(tf.matMul(ones, ones)).dataSync()[0]]
  }, tfjsNode)
  t.strictSame(await once(worker, 'message'), [['neuroblas', 64 ** 3]])
  await worker.terminate()
})

t.test('on the kernels in JavaScript', async (t) => {
  const { stdout, stderr } = await inChild(
    { env: { NEUROBLAS_BACKEND: 'js' } },
    async (_nb, _tools, module: string) => {
      const tf = await import(module)
      await tf.ready()
      const model = tf.sequential()
      model.add(tf.layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [6, 6, 1] }))
      model.add(tf.layers.maxPooling2d({ poolSize: 2 }))
      model.add(tf.layers.flatten())
      model.add(tf.layers.dense({ units: 1 }))
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      const [x, y] = [tf.ones([8, 6, 6, 1]), tf.ones([8, 1])]
      const { history } = await model.fit(x, y, { epochs: 20, verbose: 0 })
      const backend = tf.backend()
      console.log(backend.device.name, history.loss[19] < history.loss[0], backend.fallbacks())
    },
    tfjsNode,
  )
  t.strictSame({ stdout, stderr }, { stdout: 'js true {}\n', stderr: '' })
})
