// Whether the calls beside cpu would notice a fault in a native kernel: each kernel that the backend for
// TensorFlow.js uses, in each dtype that the calls need it in, is made to compute something else in one element,
// and a call must come out differently.
//   node test/tfjs/mutations.mjs [--rounds 5000] [--seed 1]
// Ends with exit code 1 where a kernel is reached by no call, or a mutant by none that notices it.
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { dtypes } from '../../lib/backend/dtype.js'
import { kernels } from '../../lib/backend/kernels.js'
import { computedOn, differenceOf, draws, spelled, tf } from './compare.mjs'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
  },
})
/** Calls that are tried for a mutant, the smallest first. */
const MOST_TRIES = 200

const { device } = tf.backend()
/** What is known of buffers, by their handles. */
const buffers = new Map()
/** Stands in for a kernel, or for none. */
let instead = (_kernel, _args, run) => run()

const { alloc, view, run } = device
device.alloc = (length, dtype) => {
  const handle = alloc.call(device, length, dtype)
  buffers.set(handle, { length, dtype })
  return handle
}
device.view = (of, offset, length) => {
  const handle = view.call(device, of, offset, length)
  buffers.set(handle, { length, dtype: buffers.get(of).dtype })
  return handle
}
device.run = (kernel, ...args) => instead(kernel, args, () => run.call(device, kernel, ...args))

/** The buffers of a call: name, use, handle and what is known. */
function buffersOf(kernel, args) {
  return kernels[kernel].flatMap((row, i) => {
    const [name, use] = row.split(':')
    const known = buffers.get(args[i])
    return use === 'size' || use === 'float' || !known
      ? []
      : [{ name, use, handle: args[i], ...known }]
  })
}

const valuesOf = ({ handle, length, dtype }) => {
  const values = new dtypes[dtype].array(length)
  device.read(handle, values)
  return values
}

/** Writes other values for the element; false where they are the same. */
function change(buffer, at, f) {
  const values = valuesOf(buffer)
  const before = values[at]
  values[at] = f(before)
  device.write(buffer.handle, values)
  return !Object.is(values[at], before)
}

const isResult = ({ use }) => use === 'out' || use === 'inout'
/** What kernels of comparisons say is true is as true as any number but 0. */
const OF_TRUTH = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual']
OF_TRUTH.push('isNaN', 'isInf', 'isFinite')
const isTruth = (buffer, kernel) => buffer.dtype === 'bool' || OF_TRUTH.includes(kernel)
/** No number that a call computes, in place of what lay in a buffer before. */
const LEFT = 77

/**
 * What a kernel may do wrong with one of its buffers. Each runs it, and says whether anything was changed, which
 * nothing was where the element has that value anyway.
 */
const mutations = {
  'another element in the middle': {
    applies: isResult,
    compute: (buffer, kernel, run) => {
      run()
      const isNumber = !isTruth(buffer, kernel)
      const other = (value) => (Number.isFinite(value) ? value + 1 : 0)
      return change(buffer, buffer.length >> 1, (value) => (isNumber ? other(value) : 1 - value))
    },
  },
  'another sign at the beginning': {
    applies: (buffer, kernel) => isResult(buffer) && !isTruth(buffer, kernel),
    compute: (buffer, _kernel, run) => {
      run()
      return change(buffer, 0, (value) => -value)
    },
  },
  'the last element left out': {
    applies: isResult,
    compute: (buffer, kernel, run) => {
      const before = buffer.use === 'inout' ? valuesOf(buffer).at(-1) : LEFT
      run()
      const isNumber = !isTruth(buffer, kernel)
      return change(buffer, buffer.length - 1, (value) => (isNumber ? before : 1 - value))
    },
  },
  'the last operand taken as 0': {
    applies: ({ use }) => use === 'in',
    compute: (buffer, _kernel, run) => {
      const before = valuesOf(buffer).at(-1)
      const isChanged = change(buffer, buffer.length - 1, () => 0)
      run()
      change(buffer, buffer.length - 1, () => before)
      return isChanged
    },
  },
}

/** A kernel in the dtypes of its buffers. */
const variantOf = (kernel, args) =>
  `${kernel} ${buffersOf(kernel, args).map(({ name, dtype }) => `${name}:${dtype}`)}`

/** Everything that the calls run: which of them, by variant, and its mutants. */
const found = new Map()
for (const call of draws(Number(options.rounds), Number(options.seed))) {
  const size = call.inputs.reduce((sum, { values }) => sum + values.length, 0)
  instead = (kernel, args, run) => {
    const variant = variantOf(kernel, args)
    if (!found.has(variant))
      found.set(variant, { kernel, buffers: buffersOf(kernel, args), calls: new Map() })
    found.get(variant).calls.set(call, size)
    run()
  }
  await computedOn('neuroblas', call)
}

const wantedOf = new Map()
async function isNoticed(variant, name, mutation, call) {
  let isChanged = false
  instead = (kernel, args, run) => {
    if (variantOf(kernel, args) !== variant) return run()
    const buffer = buffersOf(kernel, args).find((other) => other.name === name)
    if (buffer.length === 0) return run()
    isChanged = mutation.compute(buffer, kernel, run) || isChanged
  }
  try {
    const got = await computedOn('neuroblas', call)
    if (!isChanged) return false
    if (!wantedOf.has(call)) wantedOf.set(call, await computedOn('cpu', call))
    return differenceOf(got, wantedOf.get(call)) !== undefined
  } catch (error) {
    // An index that is another may be none of the tensor's.
    if (error.name === 'KernelError' || /index|indices/i.test(error.message)) return true
    throw error
  } finally {
    instead = (_kernel, _args, run) => run()
  }
}

let caught = 0
const missed = []
for (const [variant, { kernel, buffers: given, calls }] of found) {
  const tried = [...calls].sort(([, a], [, b]) => a - b).map(([call]) => call)
  for (const buffer of given) {
    for (const [what, mutation] of Object.entries(mutations)) {
      if (!mutation.applies(buffer, kernel)) continue
      let isCaught = false
      for (const call of tried.slice(0, MOST_TRIES)) {
        isCaught = await isNoticed(variant, buffer.name, mutation, call)
        if (isCaught) break
      }
      if (isCaught) caught++
      else missed.push(`${variant}: ${what} of ${buffer.name}, in ${spelled(tried[0])}`)
    }
  }
}

const folder = new URL('../../src/frontends/tfjs/', import.meta.url)
const sources = readdirSync(folder, { recursive: true })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('layers'))
  .map((file) => readFileSync(new URL(file, folder), 'utf8').replace(/Tensors<[^>]*>/g, ''))
const named = new Set(
  sources.flatMap((text) => [...text.matchAll(/'(\w+)'/g)].map(([, name]) => name)),
)
const reached = new Set([...found.values()].map(({ kernel }) => kernel))
const unreached = Object.keys(kernels).filter((kernel) => named.has(kernel) && !reached.has(kernel))

for (const text of missed) console.log(`NOT NOTICED ${text}`)
for (const kernel of unreached) console.log(`NOT REACHED ${kernel}`)
console.log(
  `mutations: ${caught} of ${caught + missed.length} noticed, of ${reached.size} kernels in ${found.size} combinations of dtypes`,
)
process.exitCode = missed.length > 0 || unreached.length > 0 ? 1 : 0
