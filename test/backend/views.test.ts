/**
 * Views of buffers, and what stands against what on the same memory: kernels whose results overlap
 * their operands, running programs that read or write. On both backends, below tensors.
 */
import t, { type Test } from 'tap'
import type { Backend } from '../../lib/backend/backend.js'
import type { DType, TypedArray } from '../../lib/backend/dtype.js'
import { JsBackend } from '../../lib/backend/js/backend.js'
import type { Handle } from '../../lib/backend/kernels.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import type { Place, Plan } from '../../lib/backend/program.js'
import type { TapeStep } from '../../lib/backend/tape.js'
import { KernelError } from '../../lib/base/errors.js'

function onBoth(title: string, fn: (t: Test, backend: Backend) => void | Promise<void>): void {
  for (const backend of [new JsBackend(), new NativeBackend()]) {
    t.test(`${title} (${backend.name})`, async (t) => {
      const before = backend.memory()
      await fn(t, backend)
      const { live, buffers } = backend.memory()
      t.strictSame({ live, buffers }, { live: before.live, buffers: before.buffers }, 'memory')
    })
  }
}

function made(backend: Backend, values: TypedArray, dtype: DType = 'float32'): Handle {
  const handle = backend.alloc(values.length, dtype)
  backend.write(handle, values)
  return handle
}
function read(backend: Backend, handle: Handle, length: number): number[] {
  const values = new Float32Array(length)
  backend.read(handle, values)
  return [...values]
}
const count = (n: number) => Float32Array.from({ length: n }, (_, i) => i)
const refused = (t: Test, fn: () => unknown, message: RegExp, name = 'KernelError') =>
  t.throws(fn, { name, message }, String(message))

onBoth('handles start at 1', (t, backend) => {
  const handle = backend.alloc(1, 'float32')
  t.ok(handle >= 1, `${handle}`)
  refused(t, () => backend.release(0 as Handle), /^release: the handle is not a buffer in use$/)
  refused(t, () => backend.run('neg', 0 as Handle, handle, 1), /^neg: x is not a buffer in use$/)
  backend.release(handle)
})

onBoth('a view is part of its root', (t, backend) => {
  const x = made(backend, count(12))
  const { live, buffers } = backend.memory()
  const middle = backend.view(x, 3, 6)
  const part = backend.view(middle, 2, 3)
  const none = backend.view(part, 3, 0)
  t.strictSame(read(backend, middle, 6), [3, 4, 5, 6, 7, 8])
  t.strictSame(read(backend, part, 3), [5, 6, 7])
  t.strictSame([backend.memory().live, backend.memory().buffers], [live, buffers], 'not counted')
  backend.write(part, Float32Array.of(50, 60), 1)
  t.strictSame(read(backend, x, 12), [0, 1, 2, 3, 4, 5, 50, 60, 8, 9, 10, 11])
  backend.run('fill', part, 3, -1)
  t.strictSame(read(backend, x, 12), [0, 1, 2, 3, 4, -1, -1, -1, 8, 9, 10, 11])
  for (const handle of [none, part, middle, x]) backend.release(handle)
})

onBoth('what a view may be', (t, backend) => {
  const x = made(backend, count(12))
  const middle = backend.view(x, 3, 6)
  for (const [offset, length] of [
    [0, 7],
    [6, 1],
    [7, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ]) {
    refused(t, () => backend.view(middle, offset, length), /^view: elements past the end of a.*6$/)
  }
  for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 60]) {
    refused(t, () => backend.view(x, bad, 1), /^view: expected an offset and a length/)
    refused(t, () => backend.view(x, 1, bad), /^view: expected an offset and a length/)
    refused(t, () => backend.view(bad as Handle, 0, 1), /^view: the handle is not a buffer in use/)
  }
  refused(t, () => backend.write(middle, count(7)), /past the end of a buffer of 6$/)
  refused(t, () => backend.read(middle, count(1), 6), /past the end of a buffer of 6$/)
  const integers = made(backend, new Int32Array(4), 'int32')
  const some = backend.view(integers, 1, 2)
  refused(t, () => backend.write(some, count(1)), /does not hold int32$/)
  for (const handle of [middle, some, integers, x]) backend.release(handle)
})

t.test('no kernel gets past the end of a view', async (t) => {
  const backend = new NativeBackend()
  const x = made(backend, count(12))
  const middle = backend.view(x, 3, 6)
  refused(t, () => backend.run('fill', middle, 7, 1), /^fill: y holds 6 elements, expected at/)
  t.strictSame(read(backend, x, 12), [...count(12)])
  backend.release(middle)
  backend.release(x)
})

onBoth('the root stays for as long as its views', (t, backend) => {
  const x = made(backend, count(1000))
  const { live } = backend.memory()
  const view = backend.view(x, 10, 5)
  const inner = backend.view(view, 1, 2)
  backend.release(x)
  refused(t, () => backend.release(x), /not a buffer in use/)
  refused(t, () => backend.view(x, 0, 1), /not a buffer in use/)
  backend.release(view)
  refused(t, () => backend.release(view), /not a buffer in use/)
  refused(t, () => backend.run('neg', view, inner, 1), /x is not a buffer in use/)
  t.equal(backend.memory().live, live, 'its memory stays')
  t.strictSame(read(backend, inner, 2), [11, 12])
  const again = backend.alloc(1000, 'float32')
  backend.run('fill', again, 1000, 7)
  t.strictSame(read(backend, inner, 2), [11, 12], 'nobody else gets it')
  backend.release(inner)
  backend.release(again)
})

onBoth('kernels over views of one buffer', (t, backend) => {
  const x = made(backend, count(12))
  const [left, right] = [backend.view(x, 0, 6), backend.view(x, 6, 6)]
  backend.run('neg', left, right, 6)
  t.strictSame(read(backend, right, 6), [-0, -1, -2, -3, -4, -5])
  backend.run('neg', right, right, 6)
  t.strictSame(read(backend, x, 12), [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
  for (const handle of [left, right, x]) backend.release(handle)
})

t.test('results that overlap operands', async (t) => {
  const backend = new NativeBackend()
  const x = made(backend, count(24))
  const integers = made(backend, new Int32Array(24), 'int32')
  const views: Handle[] = []
  const part = (of: Handle, offset: number, length: number) => {
    views.push(backend.view(of, offset, length))
    return views.at(-1)!
  }
  const [a, b] = [part(x, 0, 12), part(x, 4, 12)]
  refused(t, () => backend.run('neg', a, b, 12), /^neg: y must not overlap x$/)
  refused(t, () => backend.run('neg', a, x, 12), /^neg: y must not overlap x$/)
  refused(t, () => backend.run('softmax', a, part(x, 0, 12), 3, 4), /^softmax: y must not be the/)
  refused(t, () => backend.run('softmax', a, b, 3, 4), /^softmax: y must not overlap x$/)
  refused(
    t,
    () => backend.run('add', a, b, part(x, 0, 12), 1, 1, 12, 7, 7),
    /y must not overlap b$/,
  )
  refused(t, () => backend.run('add', a, b, part(x, 0, 12), 1, 3, 4, 4, 7), /overlap|same buffer/)
  const [rows, indices] = [part(integers, 0, 8), part(integers, 4, 4)]
  refused(
    t,
    () => backend.run('gatherRows', rows, indices, part(integers, 6, 8), 4, 2, 4),
    /overlap/,
  )
  refused(
    t,
    () => backend.run('permutation', part(integers, 3, 8), indices, 8),
    /^permutation: state must not overlap y$/,
  )
  t.strictSame(read(backend, x, 24), [...count(24)], 'nothing was written')
  for (const handle of [...views, x, integers]) backend.release(handle)
})

const planOf = (places: Place[], steps: TapeStep[], arenaBytes = 4096): Plan => ({
  arenaBytes,
  places,
  steps,
  panels: [],
})
const shared = (handle: Handle): Place => ({ dtype: 'float32', length: 0, shared: handle })
const inArena = (offset: number, length: number, dtype: DType = 'float32'): Place => ({
  dtype,
  length,
  offset,
})
const viewOf = (of: number, offset: number, length: number): Place => ({
  dtype: 'float32',
  length,
  view: { of, offset },
})

onBoth('a program needs no handle that it was made with', (t, backend) => {
  const x = made(backend, count(12))
  const part = backend.view(x, 0, 4)
  const places = [
    shared(x),
    viewOf(0, 8, 4),
    shared(part),
    inArena(64, 8),
    viewOf(3, 4, 4),
    viewOf(4, 1, 3),
  ]
  const program = backend.compile(
    planOf(places, [
      { kernel: 'fill', args: [3, 8, 1] },
      { kernel: 'neg', args: [2, 4, 4] },
      { kernel: 'affine', args: [5, 5, 3, 10, 0] },
      { kernel: 'add', args: [4, 2, 1, 1, 1, 4, 7, 7] },
    ]),
  )
  backend.release(part)
  backend.release(x)
  t.equal(program.runSync(3, []), 3, 'the program keeps the memory')
  program.dispose()
})

onBoth('what views leave in a program', (t, backend) => {
  const x = made(backend, count(12))
  const program = backend.compile(
    planOf(
      [
        shared(x),
        viewOf(0, 8, 4),
        viewOf(0, 0, 4),
        inArena(64, 8),
        viewOf(3, 4, 4),
        viewOf(4, 1, 3),
      ],
      [
        { kernel: 'fill', args: [3, 8, 1] },
        { kernel: 'neg', args: [2, 4, 4] },
        { kernel: 'affine', args: [5, 5, 3, 10, 0] },
        { kernel: 'add', args: [4, 2, 1, 1, 1, 4, 7, 7] },
      ],
    ),
  )
  program.runSync(1, [])
  t.strictSame(read(backend, x, 12), [0, 1, 2, 3, 4, 5, 6, 7, 0, -9, -18, -27])
  program.dispose()
  backend.release(x)
})

t.test('programs that the native backend refuses', async (t) => {
  const backend = new NativeBackend()
  const x = made(backend, count(12))
  const outside = /^program: a view of the program lies outside its buffer$/
  const neg = (a: number, b: number, n: number): TapeStep => ({ kernel: 'neg', args: [a, b, n] })
  const refuses = (places: Place[], steps: TapeStep[], message: RegExp) =>
    refused(t, () => backend.compile(planOf(places, steps)), message)
  refuses([shared(x), viewOf(0, 9, 4)], [neg(1, 1, 1)], outside)
  refuses([viewOf(0, 0, 1)], [neg(0, 0, 1)], outside)
  refuses([viewOf(1, 0, 1), shared(x)], [neg(0, 0, 1)], outside)
  refuses([inArena(4032, 17)], [neg(0, 0, 1)], /lies outside its arena$/)
  refuses([inArena(32, 1)], [neg(0, 0, 1)], /lies outside its arena$/)
  refuses([inArena(0, 20), inArena(64, 16)], [neg(0, 1, 16)], /y must not overlap x$/)
  refuses([shared(x), viewOf(0, 0, 8), viewOf(0, 4, 8)], [neg(1, 2, 8)], /y must not overlap x$/)
  // Indices that another argument would write over after they were checked.
  const labels = inArena(64, 4, 'int32')
  const result = inArena(0, 64)
  const index: [TapeStep, Place[]][] = [
    [{ kernel: 'oneHot', args: [0, 1, 4, 4] }, []],
    [{ kernel: 'scatterAdd', args: [2, 0, 1, 1, 4, 4, 4, 0] }, [inArena(512, 16)]],
    [{ kernel: 'gatherRows', args: [2, 0, 1, 4, 4, 4] }, [inArena(512, 16)]],
    [{ kernel: 'gatherBytes', args: [2, 0, 1, 4, 4, 4, 1] }, [inArena(512, 16, 'uint8')]],
    [{ kernel: 'softmaxCrossEntropy', args: [2, 0, 1, 4, 4] }, [inArena(512, 16)]],
    [
      { kernel: 'softmaxCrossEntropyGrad', args: [2, 0, 3, 1, 4, 4] },
      [inArena(512, 16), inArena(1024, 4)],
    ],
  ]
  for (const [step, others] of index) {
    refuses([labels, result, ...others], [step], /must not overlap (labels|indices)$/)
  }
  backend.release(x)
})

t.test('transfers that overlap', async (t) => {
  const backend = new NativeBackend()
  const x = made(backend, count(24))
  const [cell, table, other] = [
    [0, 4],
    [4, 8],
    [8, 8],
  ].map(([at, n]) => backend.view(x, at, n))
  const y = made(backend, count(8))
  const program = backend.compile(
    planOf([shared(cell), shared(y)], [{ kernel: 'neg', args: [0, 1, 4] }]),
  )
  const feed = { direction: 'feed', table, cell, width: 4 } as const
  const collect = { direction: 'collect', table: y, cell, width: 4 } as const
  t.equal(program.runSync(2, [feed]), 2)
  const message = /^program: a table must not overlap another table or a cell$/
  refused(t, () => program.runSync(1, [{ ...feed, table: cell }]), message)
  refused(t, () => program.runSync(1, [{ ...feed, table: x }]), message)
  refused(t, () => program.runSync(1, [{ ...collect, table: x }]), message)
  refused(t, () => program.runSync(2, [feed, { ...collect, table: other }]), message)
  t.equal(program.runSync(2, [feed, { ...feed, table: other }]), 2, 'tables that are read')
  program.dispose()
  for (const handle of [cell, table, other, x, y]) backend.release(handle)
})

onBoth('readers or one writer', async (t, backend) => {
  const [x, y, z] = [0, 1, 2].map(() => made(backend, count(4000)))
  const [left, right] = [backend.view(x, 0, 2000), backend.view(x, 2000, 2000)]
  const message = /: expected tensors that are free, got one that an awaited run uses/
  const refusedAsBusy = (fn: () => unknown) => refused(t, fn, message, 'BusyError')
  // Reads part of x, writes y.
  const copying = (from: Handle, to: Handle) =>
    backend.compile(planOf([shared(from), shared(to)], [{ kernel: 'neg', args: [0, 1, 2000] }]))
  const [reader, second, writer] = [copying(left, y), copying(left, z), copying(z, right)]
  const wholeWriter = copying(z, x)
  // Cut short at the end.
  const running = reader.run(1e9, [])
  t.equal(read(backend, x, 2)[1], 1, 'what it reads can be read')
  backend.run('copy2d', x, z, 1, 8, 0, 8, 0, 8)
  refusedAsBusy(() => backend.write(x, count(1)))
  refusedAsBusy(() => backend.write(right, count(1)))
  refusedAsBusy(() => backend.run('fill', right, 1, 0))
  refusedAsBusy(() => backend.read(y, count(1)))
  refusedAsBusy(() => backend.run('neg', y, z, 1))
  refusedAsBusy(() => backend.run('neg', z, y, 1))
  refusedAsBusy(() => second.runSync(1, [{ direction: 'feed', table: y, cell: z, width: 1 }]))
  refusedAsBusy(() => writer.runSync(1, []))
  refusedAsBusy(() => wholeWriter.runSync(1, []))
  await t.rejects(writer.run(1, []), { name: 'BusyError', message })
  reader.cancel()
  await running
  for (const handle of [left, right, x, y, z]) backend.write(handle, count(1))
  for (const program of [reader, second, writer, wholeWriter]) program.dispose()
  for (const handle of [left, right, x, y, z]) backend.release(handle)
})

t.test('errors are of this class', async (t) => {
  t.throws(() => new NativeBackend().view(0 as Handle, 0, 0), KernelError)
})
