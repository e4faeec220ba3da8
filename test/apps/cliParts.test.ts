/** Parts of the command line by themselves. */
import type { WriteStream } from 'node:tty'
import t from 'tap'
import { table } from '../../lib/apps/cli/table.js'
import { testModel } from '../../lib/apps/cli/testing.js'
import { Progress } from '../../lib/base/progress.js'
import { dataset } from '../../lib/data/dataset.js'
import { digits } from '../../lib/data/sets/digits.js'
import type { TableEncoding } from '../../lib/data/table/encoding.js'
import {
  applyPreprocessing,
  fitPreprocessing,
  preprocess,
} from '../../lib/data/transforms/standardize.js'
import { mlp } from '../../lib/nn/sequential.js'

t.test('parts: figures of a regression', async (t) => {
  // The example of scikit-learn's r2_score and mean_absolute_error, standardized by mean 2 and scale 0.5.
  const targets = Float32Array.of(3, -0.5, 2, 7).map((y) => (y - 2) / 2)
  const predicted = [2.5, 0, 2, 8]
  const model = mlp([1, 1])
  const values = { 'layers.0.weight': [[1, 1], 0.5], 'layers.0.bias': [[1], -1] } as const
  model.loadStateDict(
    new Map(
      Object.entries(values).map(([name, [shape, value]]) => [
        name,
        { shape: [...shape], data: Float32Array.of(value) },
      ]),
    ),
  )
  const target = { name: 'y', mean: 2, scale: 0.5 }
  const feature = { name: 'x', type: 'number', mean: 0, scale: 1 } as const
  const encoding: TableEncoding = {
    columns: ['x', 'y'],
    isNamed: true,
    features: [feature],
    target,
    missing: 'refuse',
    format: {},
  }
  const regressor = { model, encoding, loss: 'mse' } as const
  const data = dataset({ inputs: predicted.map((x) => [x]), targets })
  const { r2 = 0, mae = 0 } = (await testModel(regressor, data, undefined)).regression ?? {}
  t.ok(Math.abs(r2 - 0.9486081370449679) < 1e-6 && Math.abs(mae - 0.5) < 1e-6, `${r2} ${mae}`)
  const constant = dataset({ inputs: [[1], [2]], targets: Float32Array.of(0, 0) })
  const found = await testModel(regressor, constant, undefined)
  t.equal(found.regression?.r2, 0, 'as r2_score has it')
})

t.test('parts: preprocessing', async (t) => {
  const inputs = Float32Array.from([1, 5, 3, 5, 5, 5])
  const data = dataset({ inputs, inputShape: [2], targets: [0, 1, 0] })
  const how = fitPreprocessing(data)
  t.strictSame(how.mean, [3, 5])
  t.equal(how.scale[1], 1, 'a feature that never varies')
  const scaled = [...preprocess(data, how).inputs]
  t.same(
    scaled.filter((_, i) => i % 2 === 1),
    [0, 0, 0],
  )
  t.ok(Math.abs(scaled[0] + Math.sqrt(1.5)) < 1e-6)
  const pixels = digits()
  t.strictSame(fitPreprocessing(pixels), { mean: [0], scale: [1 / 16] })
  const { inputs: same } = preprocess(pixels, { mean: [0], scale: [1 / 16] })
  t.equal(same.buffer, pixels.inputs.buffer, 'stays bytes, of the same memory')
  t.equal(same.length, pixels.inputs.length)
  t.strictSame(
    [...applyPreprocessing(Uint8Array.from([4, 8]), 1, { mean: [4], scale: [0.5] })],
    [0, 2],
  )
})

t.test('parts: progress and tables', async (t) => {
  const written: string[] = []
  const stream = (isTTY: boolean) =>
    ({ isTTY, columns: 40, write: (text: string) => written.push(text) }) as unknown as WriteStream
  // 9.95 s pass in the test alone.
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const drive = (progress: Progress) => {
    written.length = 0
    for (let update = 0; update < 199; update++) {
      now += 50
      progress.update({ title: 'epoch 1/2', done: 0.5, note: () => 'loss 1.0000' })
    }
    progress.clear()
    return [...written]
  }
  const { TERM } = process.env
  process.env.TERM = 'xterm'
  t.teardown(() => {
    if (TERM === undefined) delete process.env.TERM
    else process.env.TERM = TERM
  })
  const lines = drive(new Progress(stream(true)))
  t.equal(lines.length, 99 + 1, 'drawn every 100 ms')
  t.equal(lines.at(-1), '\r\x1b[K', 'cleared at the end')
  t.match(lines[0], `\r\x1b[Kepoch 1/2  [${'='.repeat(7)}${' '.repeat(7)}]`)
  t.ok(
    lines.every((line) => line.length <= '\r\x1b[K'.length + 39),
    'none wraps',
  )
  t.strictSame(drive(new Progress(stream(false))), [], 'nothing within 10 s elsewhere')
  t.equal(
    table(
      [
        ['a', '1'],
        ['bbb', '100'],
      ],
      'lr',
    ),
    'a      1\nbbb  100',
  )
})
