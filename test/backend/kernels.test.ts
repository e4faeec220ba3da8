/**
 * Every kernel of the table on the native backend against the one in JavaScript, and that one in
 * float32 against itself in float64. Buffers are longer than the extents; what lies behind must
 * survive every call.
 */
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.js'
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { jsKernels } from '../../lib/backend/js/kernels.js'
import { type Handle, type KernelName, kernels } from '../../lib/backend/kernels.js'
import { loadAddon } from '../../lib/backend/native/addon.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import type { Arg } from '../support/case.js'
import { cases } from '../support/kernelCases.js'
import { ValidatingBackend } from '../support/validate.js'

// More than the four cache lines that an unrolled AVX-512 loop writes at once.
const GUARD = 67
// Numbers that no case produces.
const SENTINEL: Record<DType, number> = {
  float32: Math.fround(-1.2345e-30),
  int32: 0x5eadbeef,
  uint8: 0xa5,
}

interface Guarded {
  handle: Handle
  /** What the buffer held before the call. */
  before: TypedArray
  /** Elements before the guard. */
  length: number
  sentinel: number
}

function makeArray(length: number, dtype: DType): TypedArray {
  if (dtype === 'int32') return new Int32Array(length)
  return dtype === 'uint8' ? new Uint8Array(length) : new Float32Array(length)
}

function dtypeOf(array: TypedArray): DType {
  if (array instanceof Int32Array) return 'int32'
  return array instanceof Uint8Array ? 'uint8' : 'float32'
}

function guard(backend: Backend, arg: TypedArray | { out: number; dtype: DType }): Guarded {
  const isData = ArrayBuffer.isView(arg)
  const dtype = isData ? dtypeOf(arg) : arg.dtype
  const length = isData ? arg.length : arg.out
  const before = makeArray(length + GUARD, dtype).fill(SENTINEL[dtype])
  if (isData) before.set(arg)
  const handle = backend.alloc(before.length, dtype)
  backend.write(handle, before)
  return { handle, before, length, sentinel: SENTINEL[dtype] }
}

function checkBuffer(backend: Backend, kind: string, buffer: Guarded, written: boolean): void {
  const { before, length, sentinel } = buffer
  const after = makeArray(before.length, dtypeOf(before))
  backend.read(buffer.handle, after)
  for (let i = written ? length : 0; i < after.length; i++) {
    if (!Object.is(after[i], before[i])) {
      throw new Error(`element ${i} of ${length} was ${before[i]}, is ${after[i]}`)
    }
  }
  if (!/^(out|intsOut|anyOut)$/.test(kind)) return
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
  const kinds = kernels[kernel].map((row) => row.split(':')[1])
  const writes = kinds.map((kind) => /out$|^scratch$/i.test(kind))
  try {
    backend.run(kernel, ...(values as never))
    for (const [i, buffer] of buffers.entries()) {
      const written = writes.some((w, j) => w && buffers[j] === buffer)
      if (buffer) checkBuffer(backend, kinds[i], buffer, written)
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

const pairs: [string, ValidatingBackend][] = [
  ['native as JavaScript', new ValidatingBackend(native, js)],
  ['JavaScript in float32 as in float64', new ValidatingBackend(js, new JsBackend('float64'))],
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
