/** Recorded functions, and programs, that take turns in one run. */
import t from 'tap'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import type { Plan } from '../../lib/backend/program.js'
import { runInTurns } from '../../lib/capture/turns.js'
import {
  CaptureError,
  capture,
  KernelError,
  memory,
  ones,
  SGD,
  setBackend,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import {
  batch,
  bits,
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  settledMemory,
  stepOf,
} from '../support/engine.js'

const TURNS = [
  { part: 0, iterations: 2 },
  { part: 1, iterations: 1 },
  { part: 0, iterations: 0 },
  { part: 0, iterations: 1 },
  { part: 1, iterations: 2 },
]

onBothBackendsLater('the same as call by call', async (t) => {
  const make = () => {
    const model = network([6, 9, 4])
    // The learning rate tells the steps apart.
    const lr = (step: number) => 0.1 * (step + 1)
    const optimizer = new SGD(model.parameters(), { lr, momentum: 0.9 })
    return { model, optimizer, step: capture(stepOf(model, optimizer)) }
  }
  const [turns, calls] = [make(), make()]
  // Of batches of 5 and of 2, three each.
  const data = [5, 2].map((size) => batch(size, [3 * size, 6, 4]))
  const rows = data.map(([x, labels]): [Tensor, Tensor<'int32'>] => [
    x.reshape([3, -1, 6]),
    labels.reshape([3, -1]),
  ])
  const replays = rows.map((args) => turns.step.replays(...args))
  const [large, small] = (await runInTurns(replays, TURNS)) as Tensor[]
  t.equal(turns.optimizer.steps, 6)
  const found: Tensor[][] = [[], []]
  for (const { part, iterations } of TURNS) {
    for (let i = 0; i < iterations; i++) {
      const row = found[part].length
      const [x, labels] = rows[part]
      const size = x.shape[1]
      const step = calls.step(
        x.slice([row, row + 1]).reshape([size, 6]),
        labels.slice([row, row + 1]).reshape([size]) as Tensor<'int32'>,
      )
      found[part].push(step.clone())
    }
  }
  for (const [i, results] of [large, small].entries()) {
    t.strictSame(
      [...bits(results)],
      found[i].flatMap((x) => [...bits(x)]),
    )
  }
  sameParameters(t, turns.model, calls.model, 'weights')
})

onBothBackendsLater('what was not reached is taken back', async (t) => {
  const model = network([6, 9, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const step = capture(stepOf(model, optimizer))
  const run = (labels: number[]) => {
    const sizes = [5, 2]
    const xs = sizes.map((size) => ones([3, size, 6]))
    const ys = [tensor(new Int32Array(15), [3, 5]), tensor(Int32Array.from(labels), [3, 2])]
    return runInTurns(
      xs.map((x, i) => step.replays(x, ys[i])),
      TURNS,
    )
  }
  await run([0, 0, 0, 0, 0, 0])
  t.equal(optimizer.steps, 6)
  const [live, buffers] = await settledMemory()
  // The fifth step has a label that does not exist.
  await rejects(t, run([0, 0, 0, 9, 0, 0]), KernelError, /labels\[1\]: expected an index/)
  t.equal(optimizer.steps, 6 + 4)
  await settledMemory()
  t.strictSame([memory().live, memory().buffers], [live, buffers])

  // Stopped in a schedule, while the second one is prepared.
  optimizer.groups[0].lr = (step) => {
    if (step === 12) throw new RangeError('own')
    return 0.1
  }
  await rejects(t, run([0, 0, 0, 0, 0, 0]), RangeError, 'own')
  t.equal(optimizer.steps, 10)
  optimizer.groups[0].lr = 0.1

  // Disposed of before it is over.
  const over = run([0, 0, 0, 0, 0, 0])
  step.dispose()
  await rejects(t, over, CaptureError, 'capture: it was disposed of while it was running')
  t.ok(optimizer.steps >= 10 && optimizer.steps <= 16)
})

for (const backend of [new JsBackend(), new NativeBackend()]) {
  t.test(`turns of programs (${backend.name})`, async (t) => {
    setBackend(backend.name)
    const [cell, table, x] = [1, 3, 1].map((length) => backend.alloc(length, 'float32'))
    backend.write(table, Float32Array.of(1, 2, 3))
    backend.write(x, Float32Array.of(0))
    // x = 2 x + cell, and x = x * x.
    const shared = [x, cell].map((shared) => ({ dtype: 'float32', length: 1, shared }) as const)
    const compile = (steps: Plan['steps']) =>
      backend.compile({ arenaBytes: 0, places: shared, steps, panels: [] })
    const add = compile([
      { kernel: 'affine', args: [0, 0, 1, 2, 0] },
      { kernel: 'add', args: [0, 1, 0, 1, 1, 1, 7, 7] },
    ])
    const square = compile([{ kernel: 'square', args: [0, 0, 1] }])
    const feed = { direction: 'feed', table, cell, width: 1 } as const
    const parts = [
      { program: add, transfers: [feed] },
      { program: square, transfers: [] },
    ]
    await backend.runInTurns(parts, TURNS)
    const value = new Float32Array(1)
    backend.read(x, value)
    // 1, 4, 16, 35, 35^2, 35^4
    t.equal(value[0], 35 ** 4)
    t.strictSame([add.progress(), square.progress()], [3, 3])

    const running = /^program: it is running already; await that first$/
    await t.rejects(backend.runInTurns([parts[0], parts[0]], []), { message: running })
    const endless = [
      { part: 1, iterations: 1e9 },
      { part: 0, iterations: 1 },
    ]
    const over = backend.runInTurns(parts, endless)
    await t.rejects(add.run(1, [feed]), { message: running })
    await t.rejects(square.run(1, []), { message: running })
    add.cancel()
    await over
    t.equal(add.progress(), 0, 'what was to follow')
    t.equal(await add.run(1, [feed]), 1)
    for (const program of [add, square]) program.dispose()
    for (const handle of [cell, table, x]) backend.release(handle)
  })
}

t.test('turns that the native backend refuses', async (t) => {
  const backend = new NativeBackend()
  const [x, table] = [backend.alloc(1, 'float32'), backend.alloc(2, 'float32')]
  const program = backend.compile({
    arenaBytes: 0,
    places: [{ dtype: 'float32', length: 1, shared: x }],
    steps: [{ kernel: 'neg', args: [0, 0, 1] }],
    panels: [],
  })
  const feed = { direction: 'feed', table, cell: x, width: 1 } as const
  const refused = (turns: [number, number][], message: RegExp) => {
    const list = turns.map(([part, iterations]) => ({ part, iterations }))
    const run = backend.runInTurns([{ program, transfers: [feed] }], list)
    return t.rejects(run, { name: 'KernelError', message })
  }
  await refused([[1, 1]], /^program: no such part$/)
  await refused([[0.5, 1]], /^program: expected an integer >= 0, got 0.5/)
  await refused([[0, -1]], /^program: expected an integer >= 0, got -1/)
  await refused(
    [
      [0, 1],
      [0, 2],
    ],
    /^program: a table does not hold a row for every iteration$/,
  )
  await refused(Array(2050).fill([0, 2 ** 53 - 1]), /^program: too many iterations$/)
  program.dispose()
  for (const handle of [x, table]) backend.release(handle)
})
