// Whose memory is whose: at each of many random calls, arrays of the caller and those that are read are nobody else's,
// what a kernel gives lies apart from what it takes, and all memory comes back, disposed of or collected.
//   node --expose-gc test/tfjs/aliasing.mjs [--rounds 4000] [--seed 1]
// Ends with exit code 1 when there is a failure, or a kernel that no call reaches.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rules } from '../../lib/frontends/tfjs/rules.js'
import { computedOn, draws, spelled, tf } from './compare.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
  },
})
const [rounds, seed] = [Number(options.rounds), Number(options.seed)]

const backend = tf.backend()
const { device } = backend
const failures = new Set()

/** Whose result may be another tensor of the same elements: what leaves them all as they are, always or at times. */
const SHARING = new Set([
  ...['Reshape', 'ExpandDims', 'Identity'],
  // To the same dtype.
  'Cast',
  // Over no axes.
  ...['Sum', 'Mean', 'Prod', 'Max', 'Min', 'Any', 'All'],
  // In windows of one element.
  ...['MaxPool', 'MaxPoolGrad', 'AvgPool', 'AvgPoolGrad'],
  // Of nothing, all of it.
  ...['MirrorPad', 'StridedSlice'],
])

const bytesOf = (entry) => Buffer.from(entry.read().buffer)
const entryOf = ({ dataId }) => {
  const entry = backend.data.get(dataId)
  return entry.handle === 0 ? undefined : entry
}

/** Whether another entry has other bytes when all of this one's are turned over. */
function changes(written, looked) {
  const before = bytesOf(looked)
  const values = written.read()
  const other = new Uint8Array(values.slice().buffer).map((byte) => ~byte)
  device.write(written.handle, new values.constructor(other.buffer))
  const isChanged = !before.equals(bytesOf(looked))
  device.write(written.handle, values)
  return isChanged
}

function checkApart(kernel, inputs, results) {
  for (const [i, result] of results.entries()) {
    for (const other of [...inputs, ...results.slice(0, i)]) {
      const [written, looked] = [entryOf(result), entryOf(other)]
      if (written === undefined || looked === undefined) continue
      if (written === looked) {
        if (!SHARING.has(kernel)) failures.add(`${kernel} gives a tensor that it takes`)
        if (written.refCount < 2) failures.add(`${kernel} does not count a tensor that it shares`)
      } else if (changes(written, looked) || changes(looked, written)) {
        failures.add(`${kernel}: two tensors in the same memory`)
      }
    }
  }
}

const reached = new Set()
for (const kernelName of Object.keys(rules)) {
  const { kernelFunc } = tf.getKernel(kernelName, 'neuroblas')
  const checked = (call) => {
    const result = kernelFunc(call)
    reached.add(kernelName)
    const inputs = Object.values(call.inputs).flat()
    checkApart(kernelName, inputs.filter(Boolean), [result].flat())
    return result
  }
  tf.unregisterKernel(kernelName, 'neuroblas')
  tf.registerKernel({ kernelName, backendName: 'neuroblas', kernelFunc: checked })
}

const isSame = (a, b) => Buffer.from(a.buffer).equals(Buffer.from(b.buffer))

/** What the caller does to its arrays changes no tensor. */
function checkArrays(call) {
  tf.tidy(() => {
    const given = call.inputs.map(({ values }) => values.slice())
    const tensors = call.inputs.map(({ shape, dtype }, i) => tf.tensor(given[i], shape, dtype))
    for (const array of given) array.fill(3)
    const result = call.compute(tf, ...tensors)
    for (const [i, tensor] of [...tensors, result].entries()) {
      const read = tensor.dataSync()
      const kept = read.slice()
      if (tensor !== result && !isSame(kept, call.inputs[i].values)) {
        failures.add(`${spelled(call)}: the array that a tensor is made of is its memory`)
      }
      read.fill(5)
      if (!isSame(tensor.dataSync(), kept)) failures.add(`${spelled(call)}: what is read is live`)
    }
  })
}

const used = () => {
  const { buffers, live } = device.memory()
  const { numTensors, numDataBuffers } = tf.memory()
  return JSON.stringify({ buffers, live, numTensors, numDataBuffers })
}

for (const call of draws(rounds, seed)) {
  const before = used()
  checkArrays(call)
  await computedOn('neuroblas', call)
  if (used() !== before) failures.add(`${spelled(call)}: memory ${before} before, ${used()} after`)
}
for (const kernel of Object.keys(rules)) {
  if (!reached.has(kernel)) failures.add(`${kernel} is reached by no call`)
}

/** Calls whose tensors nobody disposes of. */
async function forget(count) {
  for (const { inputs, compute } of draws(count, seed + 1)) {
    compute(tf, ...inputs.map(({ values, shape, dtype }) => tf.tensor(values, shape, dtype)))
    await setImmediate()
  }
}

/** The buffers in use when all that can be is collected. */
async function collected() {
  let least = Infinity
  for (let quiet = 0; quiet < 5; quiet++) {
    globalThis.gc()
    await setImmediate()
    // The device releases what was collected when it is asked for something.
    tf.ones([1]).dispose()
    const { buffers } = device.memory()
    if (buffers < least) quiet = 0
    least = Math.min(least, buffers)
  }
  return least
}

await forget(10)
const before = await collected()
await forget(500)
const atMost = device.memory().buffers
const after = await collected()
if (after > before)
  failures.add(`${after - before} buffers of forgotten tensors were not collected`)

for (const text of [...failures].slice(0, 50)) console.log(`FAILED ${text}`)
console.log(
  `aliasing: ${rounds} calls of ${reached.size} kernels, ${failures.size} failures; of 500 calls that were forgotten ${atMost - before} buffers were left, ${after - before} once collected`,
)
process.exitCode = failures.size > 0 ? 1 : 0
