/**
 * Every kernel of the table on the native backend against the one in JavaScript, and that one in
 * float32 against itself in float64. Buffers are longer than the extents; what lies behind must
 * survive every call.
 */
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.js'
import { type DType, dtypes, type TypedArray } from '../../lib/backend/dtype.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { jsKernels } from '../../lib/backend/js/kernels.js'
import { type Handle, type KernelName, kernels } from '../../lib/backend/kernels.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import { type Arg, bufferOf, type Data, type Out } from '../support/case.js'
import { cases } from '../support/kernelCases.js'
import { ValidatingBackend } from '../support/validate.js'

// More than the four cache lines that an unrolled AVX-512 loop writes at once.
const GUARD = 67
// Numbers that no case produces.
const SENTINEL: Record<DType, number> = {
  float32: Math.fround(-1.2345e-30),
  float64: -1.2345e-300,
  int32: 0x5eadbeef,
  uint8: 0xa5,
  bool: 0xa5,
}

interface Guarded {
  handle: Handle
  /** What the buffer held before the call. */
  before: TypedArray
  /** Elements before the guard. */
  length: number
  sentinel: number
}

function guard(backend: Backend, arg: TypedArray | Data | Out): Guarded {
  const { dtype, data, length } = bufferOf(arg)
  const before = new dtypes[dtype].array(length + GUARD).fill(SENTINEL[dtype])
  if (data) before.set(data)
  const handle = backend.alloc(before.length, dtype)
  backend.write(handle, before)
  return { handle, before, length, sentinel: SENTINEL[dtype] }
}

function checkBuffer(backend: Backend, use: string, buffer: Guarded, written: boolean): void {
  const { before, length, sentinel } = buffer
  const after = before.slice()
  backend.read(buffer.handle, after)
  for (let i = written ? length : 0; i < after.length; i++) {
    if (!Object.is(after[i], before[i])) {
      throw new Error(`element ${i} of ${length} was ${before[i]}, is ${after[i]}`)
    }
  }
  if (use !== 'out') return
  for (let i = 0; i < length; i++) {
    if (after[i] === sentinel) throw new Error(`element ${i} of ${length} was not written`)
  }
}

function runCase(backend: Backend, kernel: KernelName, args: Arg[]): void {
  const buffers: (Guarded | undefined)[] = []
  for (const arg of args) {
    if (typeof arg === 'number') buffers.push(undefined)
    else buffers.push('alias' in arg ? buffers[arg.alias] : guard(backend, arg))
  }
  const values = args.map((arg, i) => buffers[i]?.handle ?? (arg as number))
  const uses = kernels[kernel].map((row) => row.split(':')[1])
  const writes = uses.map((use) => /out$|^scratch$/.test(use))
  try {
    backend.run(kernel, ...(values as never))
    for (const [i, buffer] of buffers.entries()) {
      const written = writes.some((w, j) => w && buffers[j] === buffer)
      if (buffer) checkBuffer(backend, uses[i], buffer, written)
    }
  } catch (error) {
    const shown = args.map((arg) =>
      typeof arg === 'number' ? arg : JSON.stringify(arg).slice(0, 60),
    )
    throw new Error(`${kernel}(${shown.join(', ')}): ${(error as Error).message}`)
  } finally {
    for (const buffer of new Set(buffers)) if (buffer) backend.release(buffer.handle)
  }
}

const names = Object.keys(kernels) as KernelName[]
const native = new NativeBackend()
const js = new JsBackend()

t.test('every kernel has a native and a JavaScript implementation and cases here', async (t) => {
  const listed = loadAddon().kernels.map((row) => row.name)
  t.strictSame([...listed].sort(), [...names].sort(), 'native')
  for (const name of names) {
    t.type(jsKernels[name], 'function', `${name} in JavaScript`)
    t.type(cases[name], 'function', `${name} has cases`)
  }
})

t.test('the addon has the dtypes of the table, and says which kernel takes which', async (t) => {
  const addon = loadAddon()
  t.strictSame(
    addon.dtypes,
    Object.values(dtypes).map(({ name, bytes }) => ({ name, bytes })),
  )
  const taken = Object.fromEntries(addon.kernels.map((row) => [row.name, row.dtypes]))
  const all = Object.keys(dtypes)
  t.strictSame(taken.gemm, { F: ['float32'] })
  t.strictSame(taken.cast, { T: all, S: all })
  t.strictSame(taken.equal, { F: ['float32', 'float64'], T: all })
  t.strictSame(taken.permutation, {})
  const withDoubles = names.filter((name) => Object.values(taken[name]).flat().includes('float64'))
  for (const row of [addon.dtypes[1], addon.kernels[0]] as { name: string }[]) {
    const { name } = row
    row.name = 'other'
    t.throws(() => new NativeBackend(), {
      name: 'BackendError',
      message: new RegExp(`^native addon: it is out of date, .*: ${name}, other\\)$`),
    })
    row.name = name
  }
  t.strictSame(withDoubles.sort(), [
    'cast',
    'copy2d',
    'copyStrided',
    'equal',
    'expand',
    'fill',
    'gather',
    'gatherRows',
    'scatter',
    'select',
    'transpose',
    'triangle',
  ])
})

const pairs: [string, ValidatingBackend][] = [
  ['native as JavaScript', new ValidatingBackend(native, js)],
  ['JavaScript in float32 as in float64', new ValidatingBackend(js, new JsBackend(), true)],
]
for (const [title, backend] of pairs) {
  t.test(title, async (t) => {
    const before = backend.memory().buffers
    for (const kernel of names) {
      t.test(kernel, async (t) => {
        let count = 0
        for (const args of cases[kernel]()) {
          runCase(backend, kernel, args)
          count++
        }
        t.ok(count > 0, `${count} calls`)
      })
    }
    t.test('memory', async (t) => t.equal(backend.memory().buffers, before, 'all is released'))
  })
}
