// Calls the addon below the library, well-formed and hostile, at random: whatever JavaScript passes,
// it is refused with an error or computed within its buffers. A crash of this process is a failure;
// so are a write outside a buffer, memory that is left over, and calls that all are refused.
//   node scripts/fuzz/addon.mjs [--calls 100000] [--seed 1]
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dtypes } from '../../lib/backend/dtype.js'
import { kernels } from '../../lib/backend/kernels.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { HOSTILE, randomOf } from './random.mjs'

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
})
const [CALLS, SEED] = [Number(options.calls), Number(options.seed)]
const addon = loadAddon()
const names = Object.keys(dtypes)

const { random, below, pick, chance } = randomOf(SEED)
const hostile = () => pick(HOSTILE)
const size = (most) => (chance(0.02) ? hostile() : below(most))

const LENGTH = 600
const GUARD = 64
const PATTERN = 0.1234567

/** Buffers and views that may be used, by handle; and handles that were released. */
const live = []
const stale = [0]
const programs = []
let running = 0
const accepted = {}
const refused = {}

function enter(handle, length, dtype) {
  live.push({ handle, length, dtype })
  return handle
}

function alloc() {
  const length = chance(0.02) ? hostile() : chance(0.1) ? below(4) : LENGTH + below(64)
  const code = chance(0.02) ? hostile() : below(names.length)
  const handle = addon.alloc(length, code)
  enter(handle, length, names[code])
  const { array } = dtypes[names[code]]
  addon.write(
    handle,
    new array(length).map(() => (chance(0.01) ? below(2 ** 31) : below(4))),
  )
}

const entry = (dtype) => {
  const fitting = dtype ? live.filter((buffer) => buffer.dtype === dtype) : live
  return pick(fitting.length > 0 && chance(0.98) ? fitting : live)
}
function handle(dtype) {
  if (live.length === 0 || chance(0.03)) return chance(0.5) ? pick(stale) : hostile()
  return entry(dtype).handle
}

function view() {
  const of = live.length > 0 ? entry() : { handle: 0, length: 0, dtype: 'float32' }
  const offset = size(of.length + 2)
  const length = chance(0.9) ? Math.max(of.length - offset, 0) : size(of.length + 2)
  enter(addon.view(chance(0.98) ? of.handle : handle(), offset, length), length, of.dtype)
}

function release() {
  if (live.length < 40 && chance(0.8)) return
  if (chance(0.1)) return addon.release(chance(0.5) ? pick(stale) : hostile())
  const [gone] = live.splice(below(live.length), 1)
  stale.push(gone.handle)
  addon.release(gone.handle)
}

// Kept, so that buffers live until they are released.
const owners = Array.from({ length: 10 }, () => ({}))
function own() {
  if (chance(0.3)) return addon.disown(handle())
  addon.own(handle(), chance(0.9) ? pick(owners) : pick([1, null, undefined, 'x']))
}

function array() {
  const type = pick([Float32Array, Float64Array, Int32Array, Uint8Array])
  const length = below(50)
  const data = chance(0.1)
    ? new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT))
    : new type(length)
  if (chance(0.05)) structuredClone(data.buffer, chance(0.5) ? { transfer: [] } : {})
  return data.map(() => (chance(0.05) ? below(2 ** 31) : below(8)))
}
function move(name) {
  if (live.length === 0) return
  const { handle: own, dtype } = entry()
  const data = chance(0.8) ? new dtypes[dtype].array(below(40)) : array()
  addon[name](chance(0.95) ? own : handle(), data, size(LENGTH))
}

/** Numbers for a kernel's row; `buffer` names one of a dtype. */
function argumentsOf(kernel, buffer) {
  const float = chance(0.95) ? 'float32' : 'float64'
  const number = chance(0.5) ? float : 'int32'
  const chosen = { F: float, N: number, T: chance(0.5) ? float : pick(names), S: pick(names) }
  const used = []
  return kernels[kernel].map((row) => {
    const [, use, dtype] = row.split(':')
    if (use === 'size') return chance(0.5) ? below(2) : size(chance(0.9) ? 9 : 40)
    if (use === 'float') return chance(0.05) ? hostile() : chance(0.5) ? random() : below(9) - 4
    // Now and then the same buffer twice.
    if (used.length > 0 && chance(0.05)) return pick(used)
    used.push(buffer(chosen[dtype] ?? dtype))
    return used.at(-1)
  })
}

function run() {
  const index = chance(0.01) ? hostile() : below(addon.kernels.length)
  const { name } = addon.kernels[index] ?? addon.kernels[0]
  addon.mailbox.set(argumentsOf(name, handle))
  addon.run(index)
}

function compile() {
  const arena = chance(0.02) ? hostile() : 64 * below(200)
  const places = []
  const kinds = []
  const weights = []
  for (let i = below(8) + 1; i > 0; i--) {
    const kind = chance(0.02) ? hostile() : pick([0, 0, 0, 1, 2])
    const dtype = chance(0.6) ? 'float32' : pick(names)
    const of = live.length > 0 ? entry(dtype) : undefined
    kinds.push(kind === 1 ? of?.dtype : kind === 2 ? kinds[0] : dtype)
    const where =
      kind === 1
        ? (chance(0.9) && of?.handle) || handle(dtype)
        : kind === 2
          ? size(places.length + 1)
          : 64 * size(arena / 64 + 1)
    const offset = kind === 2 ? size(20) : chance(0.9) ? 0 : size(9)
    places.push([kind, where, offset, size(chance(0.5) ? 20 : 300), dtypes[dtype].code])
    if (kind === 1 && where === of?.handle && chance(0.5)) {
      const rows = pick([1, 1, 2, 3])
      weights.push([
        places.length - 1,
        chance(0.98) ? rows : hostile(),
        Math.floor(of.length / rows),
      ])
    }
  }
  const place = (dtype) => {
    const fitting = [...kinds.keys()].filter((i) => kinds[i] === dtype)
    return fitting.length > 0 && chance(0.95) ? pick(fitting) : size(places.length + 1)
  }
  const steps = (most) =>
    Array.from({ length: below(most) }, () => {
      const index = below(addon.kernels.length)
      return [chance(0.01) ? hostile() : index, ...argumentsOf(addon.kernels[index].name, place)]
    })
  const flat = (list) => Float64Array.from(chance(0.02) ? list.flat().slice(1) : list.flat())
  const few = chance(0.7) ? 2 : 5
  // Only what a step writes can be weights.
  const fill = addon.kernels.findIndex(({ name }) => name === 'fill')
  const writes = weights.map(([place, rows]) => [fill, place, rows, below(4)])
  const id = addon.compile(arena, flat(places), flat([...steps(few), ...writes]), flat(weights))
  programs.push(id)
}

function transfers() {
  const list = Array.from({ length: chance(0.5) ? 0 : below(4) }, () => {
    const dtype = chance(0.8) ? 'float32' : pick(names)
    return [below(2), handle(dtype), handle(dtype), size(40)]
  })
  return Float64Array.from(chance(0.02) ? list.flat().slice(1) : list.flat())
}
const program = () =>
  programs.length > 0 && chance(0.97) ? pick(programs) : chance(0.5) ? 12345678 : hostile()

function runProgram() {
  addon.runProgram(
    program(),
    chance(0.02) ? pick([-1, 0.5, Number.NaN]) : below(4),
    transfers(),
    chance(0.3),
  )
}
function startPrograms() {
  const parts = Array.from({ length: below(4) }, () => {
    const moved = transfers()
    return [program(), chance(0.98) ? Math.floor(moved.length / 4) : hostile(), ...moved]
  })
  const turns = Array.from({ length: below(5) }, () => [size(parts.length), below(20)])
  const flat = (list) => Float64Array.from(chance(0.02) ? list.flat().slice(1) : list.flat())
  addon.startPrograms(flat(parts), flat(turns), () => {
    running--
  })
  running++
}
function disposeProgram() {
  if (programs.length < 20 && chance(0.8)) return
  const [id] = chance(0.9) ? programs.splice(below(programs.length), 1) : [hostile()]
  addon.disposeProgram(id)
}

// What no function expects; valid programs are left out, which such numbers could run for ever.
const junk = () =>
  pick([
    undefined,
    null,
    true,
    '',
    'x',
    12n,
    Symbol('x'),
    {},
    [],
    () => {},
    new Date(0),
    1.5,
    -1,
    Number.NaN,
    2 ** 53,
    new Float64Array(8),
    new Float64Array(3),
    new Uint8Array(4),
    new DataView(new ArrayBuffer(8)),
    new BigInt64Array(2),
    new ArrayBuffer(8),
  ])
// `own` would release what is still in use here; without memory there is nothing to try.
const apart = ['timeGemms', 'timeFlops', 'own', 'setAvailableMemory']
const anything = Object.keys(addon).filter(
  (name) => typeof addon[name] === 'function' && !apart.includes(name),
)
function callAnything() {
  const args = Array.from({ length: below(6) }, junk)
  if (chance(0.2)) return addon.timeGemms(args[0], pick([2, 'x', undefined, Number.NaN, -1]))
  if (chance(0.2)) return addon.timeFlops(pick([0, 1e6, 'x', undefined, Number.NaN, -1, Infinity]))
  if (chance(0.3)) {
    return pick(Object.values(addon.blas))(...Array.from({ length: below(15) }, junk))
  }
  const name = pick(anything)
  // The threads of this machine are few.
  const result = addon[name](...(name === 'setThreads' ? [pick([1, 2, 3, 'x', 0, NaN])] : args))
  if (name === 'alloc') enter(result, args[0], names[args[1]])
  if (name === 'view') enter(result, args[2], 'float32')
  if (name === 'compile') programs.push(result)
}

const actions = Object.entries({
  run: [run, 40],
  alloc: [alloc, 4],
  view: [view, 6],
  release: [release, 8],
  write: [() => move('write'), 6],
  read: [() => move('read'), 6],
  compile: [compile, 12],
  runProgram: [runProgram, 8],
  startPrograms: [startPrograms, 3],
  disposeProgram: [disposeProgram, 4],
  cancelProgram: [() => addon.cancelProgram(program()), 1],
  progressOf: [() => addon.progressOf(program()), 1],
  own: [own, 3],
  memory: [() => addon.memory(), 1],
  anything: [callAnything, 5],
}).flatMap(([name, [action, weight]]) => Array(weight).fill([name, action]))

// Of these buffers only the middle is given away.
const guarded = names.map((dtype) => {
  const { array, code } = dtypes[dtype]
  const root = addon.alloc(LENGTH + 2 * GUARD, code)
  const before = new array(LENGTH + 2 * GUARD).fill(dtype.startsWith('float') ? PATTERN : 77)
  addon.write(root, before)
  return { dtype, root, before }
})
function showGuarded() {
  for (const { dtype, root } of guarded) enter(addon.view(root, GUARD, LENGTH), LENGTH, dtype)
}
function checkGuarded() {
  for (const { dtype, root, before } of guarded) {
    const after = before.slice()
    addon.read(root, after)
    for (let i = 0; i < after.length; i++) {
      const isOutside = i < GUARD || i >= GUARD + LENGTH
      if (isOutside && after[i] !== before[i]) {
        throw new Error(`${dtype} element ${i} outside a view was ${before[i]}, is ${after[i]}`)
      }
    }
  }
}

async function settle() {
  while (running > 0) await turn()
}

console.log(`seed ${SEED}`)
showGuarded()
for (let i = 0; i < 30; i++)
  enter(addon.alloc(LENGTH, i % names.length), LENGTH, names[i % names.length])
for (let call = 1; call <= CALLS; call++) {
  const [name, action] = pick(actions)
  try {
    action()
    accepted[name] = (accepted[name] ?? 0) + 1
  } catch (error) {
    if (!(error instanceof Error) || error instanceof RangeError) throw error
    refused[name] = (refused[name] ?? 0) + 1
  }
  if (call % 200 === 0) await turn()
  if (call % 1000 === 0) {
    await settle()
    checkGuarded()
    showGuarded()
  }
}
await settle()
checkGuarded()
for (const id of programs) addon.disposeProgram(id)
for (const { handle } of live) addon.release(handle)
for (const { root } of guarded) addon.release(root)
const { buffers, live: bytes } = addon.memory()
if (buffers !== 0 || bytes !== 0) throw new Error(`${buffers} buffers of ${bytes} bytes are left`)
for (const name of new Set(actions.map(([name]) => name))) {
  const [yes, no] = [accepted[name] ?? 0, refused[name] ?? 0]
  console.log(`${name}: ${yes} computed, ${no} refused`)
  if (yes < (yes + no) / 20) throw new Error(`${name}: nearly all calls are refused`)
}
console.log(`${CALLS} calls`)
