/** `fit`, `evaluate` and `predict` on examples that come in blocks. */
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import {
  Adam,
  ArgumentError,
  type BlockFitOptions,
  type BlockSource,
  type Classifier,
  DataError,
  dataset,
  evaluate,
  fit,
  Generator,
  memory,
  mse,
  predict,
  SGD,
  ShapeError,
  schedules,
  softmaxCrossEntropy,
  split,
} from '../../lib/index.js'
import { inBlocks, watched } from '../support/blocks.js'
import { inChild } from '../support/child.js'
import {
  network,
  onBothBackendsLater,
  rejects,
  sameParameters,
  settledMemory,
  warningsOf,
} from '../support/engine.js'
import { wrong } from '../support/reference.js'

const SIZE = 200
const rows = new Generator(7).normal([SIZE, 4]).toArray() as number[][]
const labels = rows.map(([a, b]) => (a > 0.5 ? 2 : b > 0 ? 1 : 0))
const data = dataset({ name: 'points', inputs: rows, targets: labels })
const values = dataset({
  name: 'values',
  inputs: rows,
  targets: rows.map(([a, b]) => [a + b, a * b]),
})
const loss = softmaxCrossEntropy

const start = (more: Partial<BlockFitOptions<'labels'>> = {}) => {
  const model = network([4, 6, 3])
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  return { model, options: { loss, optimizer, epochs: 3, batchSize: 8, seed: 1, ...more } }
}

/** The model and the losses of its epochs after training on a source. */
async function trained(
  source: BlockSource<'labels'>,
  more: Partial<BlockFitOptions<'labels'>> = {},
) {
  const { model, options } = start(more)
  const { epochs } = await fit(model, source, options)
  return { model, losses: epochs.map((report) => report.loss), epochs }
}

onBothBackendsLater('in the order of the data, blocks train as a data set does', async (t) => {
  const { model: wanted, options } = start({ shuffle: false })
  const history = await fit(wanted, data, options as never)
  for (const sizes of [[SIZE], [7], [64, 1, 30]]) {
    for (const cache of [true, false]) {
      const { model, losses } = await trained(inBlocks(data, sizes), { shuffle: false, cache })
      sameParameters(t, model, wanted, `blocks of ${sizes}, cache ${cache}`)
      t.strictSame(
        losses,
        history.epochs.map((report) => report.loss),
      )
    }
  }
})

onBothBackendsLater('bits depend on the seed, not on blocks, caches or time', async (t) => {
  const folder = t.testdir()
  const more = { shuffleBuffer: 64 }
  const { model: wanted, losses } = await trained(inBlocks(data, [50]), more)
  const late: BlockSource<'labels'> = {
    ...inBlocks(data, [33]),
    async *blocks() {
      for await (const block of inBlocks(data, [33]).blocks()) {
        await new Promise(setImmediate)
        yield block
      }
    },
  }
  const kept = { ...more, cache: `${folder}/cache` }
  const digest = 'points'
  for (const [name, source, given] of [
    ['other blocks', inBlocks(data, [3, 150, 20]), more],
    ['late ones', late, more],
    ['a size', inBlocks(data, [50], { size: SIZE }), more],
    ['a cache that is kept', inBlocks(data, [50], { digest }), kept],
    ['one that was kept', inBlocks(data, [50], { digest }), kept],
  ] as const) {
    const found = await trained(source, given)
    sameParameters(t, found.model, wanted, name)
    t.strictSame(found.losses, losses, name)
  }
  const other = await trained(inBlocks(data, [50]), { ...more, seed: 2 })
  t.notSame(other.losses, losses)
})

t.test('every example is trained on once in each epoch', async (t) => {
  // The gradient of each weight counts its example.
  const size = 37
  const inputs = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => Number(i === j)),
  )
  const ones = dataset({ inputs, targets: inputs.map(() => [1]) })
  for (const shuffleBuffer of [4, 10, 36, 37, 100]) {
    const model = network([size, 1])
    for (const parameter of model.parameters()) parameter.assign(parameter.mul(0))
    const optimizer = new SGD(model.parameters(), { lr: 1 })
    const count: BlockFitOptions<'values'>['loss'] = (outputs) => outputs.sum()
    await fit(model, inBlocks(ones, [5]), {
      loss: count,
      optimizer,
      epochs: 3,
      batchSize: 2,
      shuffleBuffer,
    })
    const [weights] = model.parameters()
    t.ok(
      weights.data().every((weight) => weight === -3),
      `${shuffleBuffer}`,
    )
  }
})

t.test('epochs go from the source to the cache, whose file has no name', async (t) => {
  const before = await settledMemory()
  const { source, seen } = watched(inBlocks(data, [30]))
  await trained(source, { epochs: 4 })
  t.strictSame(seen, { begun: 1, ended: 1, blocks: 7 })
  const again = watched(inBlocks(data, [30]))
  await trained(again.source, { epochs: 4, cache: false })
  t.strictSame(again.seen, { begun: 4, ended: 4, blocks: 28 })
  t.strictSame(await settledMemory(), before)
})

t.test('a cache that is kept', async (t) => {
  const cache = `${t.testdir()}/cache`
  const digest = 'of these points'
  const first = watched(inBlocks(data, [30], { digest }))
  const { losses } = await trained(first.source, { cache })
  const [file, ...others] = readdirSync(cache)
  t.strictSame([others, first.seen.begun], [[], 1])
  const second = watched(inBlocks(data, [30], { digest }))
  t.strictSame((await trained(second.source, { cache })).losses, losses)
  t.equal(second.seen.begun, 0, 'is read in place of the source')
  await trained(inBlocks(data, [30], { digest: 'of others' }), { cache })
  t.equal(readdirSync(cache).length, 2, 'other data have another file')
  const path = `${cache}/${file}`
  const damage = async (change: () => void, message: RegExp) => {
    change()
    await rejects(t, trained(second.source, { cache }), DataError, message)
  }
  const good = readFileSync(path)
  const put = (at: number) => () => {
    const bad = Buffer.from(good)
    bad[at] ^= 1
    writeFileSync(path, bad)
  }
  await damage(
    put(100),
    /expected a cache of blocks, but the checksum of chunk 0 is another; remove/,
  )
  await damage(put(good.length - 30), /the checksum of its contents is another/)
  await damage(put(good.length - 1), /it does not end as one/)
  await damage(() => truncateSync(path, 5), /it has 5 bytes/)
  t.equal(second.seen.begun, 0)
})

t.test('a cache that cannot be written costs a warning', async (t) => {
  const folder = t.testdir({ file: '' })
  const source = inBlocks(data, [30], { digest: 'points' })
  const warnings = await warningsOf(() => trained(source, { cache: `${folder}/file/cache` }))
  t.equal(warnings.length, 1)
  t.match(
    warnings[0],
    /^fit: the cache of 'points' could not be written \(ENOTDIR.*; its blocks are read anew, and in their own order, in each epoch$/,
  )
})

t.test('callbacks, metrics, validation, best weights, averages, clipping, schedules', async (t) => {
  const { train, test } = split(data, 0.25, 1)
  const epochs: number[] = []
  const validations: [number, number][] = []
  const steps: number[][] = []
  const source = inBlocks(train, [40])
  const more: Partial<BlockFitOptions<'labels'>> = {
    shuffleBuffer: 48,
    metrics: ['accuracy', 'f1'],
    keepBest: true,
    ema: { decay: 0.9 },
    clipNorm: 1,
    validateEvery: 5,
    onEpoch: ({ epoch }) => void epochs.push(epoch),
    onStep: ({ epoch, step, stepsPerEpoch }) => void steps.push([epoch, step, stepsPerEpoch]),
    onValidation: ({ epoch, step }) => void validations.push([epoch, step]),
  }
  const found = await trained(source, { ...more, validation: inBlocks(test, [9]) })
  t.strictSame(epochs, [1, 2, 3])
  const inEpoch1 = Array.from({ length: 19 }, (_, i) => [1, i + 1, i + 1])
  const later = [2, 3].flatMap((epoch) => Array.from({ length: 19 }, (_, i) => [epoch, i + 1, 19]))
  t.strictSame(steps, [...inEpoch1, ...later])
  t.strictSame(validations.slice(0, 7), [
    [1, 5],
    [1, 10],
    [1, 15],
    [1, 19],
    [2, 1],
    [2, 6],
    [2, 11],
  ])
  const other = await trained(source, { ...more, validation: test })
  t.strictSame(found.losses, other.losses)
  t.strictSame(
    found.epochs.map((report) => [report.validationLoss, report.validationMetrics, report.metrics]),
    other.epochs.map((report) => [report.validationLoss, report.validationMetrics, report.metrics]),
    'a block source validates as a data set does',
  )
  t.equal(found.epochs[0].examples, train.size)
  sameParameters(t, found.model, other.model, 'and keeps the same weights')
})

t.test('class weights are those of a data set', async (t) => {
  for (const classWeights of [[1, 2, 0.5], 'balanced'] as const) {
    const { model, options } = start({ shuffle: false, classWeights })
    await fit(model, data, options as never)
    const found = await trained(inBlocks(data, [30]), { shuffle: false, classWeights })
    sameParameters(t, found.model, model, `${classWeights}`)
  }
})

t.test('values, bytes, augmentation', async (t) => {
  const fitValues = async (source: never) => {
    const model = network([4, 6, 2])
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    await fit(model, source, { loss: mse, optimizer, epochs: 2, seed: 3, shuffle: false } as never)
    return model
  }
  const wanted = await fitValues(values as never)
  sameParameters(t, await fitValues(inBlocks(values, [30]) as never), wanted, 'values')
  const bytes = Uint8Array.from({ length: SIZE * 4 }, (_, i) => (i * 37) % 256)
  const images = dataset({ inputs: bytes, inputShape: [4], scale: 1 / 255, targets: labels })
  const changed = async (source: never) => {
    const { model, options } = start({
      shuffle: false,
      augment: (x, _, random) => x.add(random.normal(x.shape)),
    })
    await fit(model, source, options as never)
    return model
  }
  sameParameters(
    t,
    await changed(inBlocks(images, [30]) as never),
    await changed(images as never),
    'bytes',
  )
})

t.test('evaluate', async (t) => {
  const { model } = await trained(inBlocks(data, [30]))
  const wanted = await evaluate(model, data, { loss, metrics: ['f1'], batchSize: 16 })
  const { source, seen } = watched(inBlocks(data, [30]))
  t.strictSame(await evaluate(model, source, { loss, metrics: ['f1'], batchSize: 16 }), wanted)
  t.equal(seen.ended, 1)
})

t.test('a checkpoint goes on with the same bits', async (t) => {
  const checkpoint = `${t.testdir()}/checkpoint`
  const source = inBlocks(data, [30], { digest: 'points' })
  const more = { shuffleBuffer: 64 }
  const { model: wanted } = await trained(source, { ...more, epochs: 4 })
  await trained(source, { ...more, epochs: 2, checkpoint })
  const { model, epochs } = await trained(source, { ...more, epochs: 4, checkpoint })
  t.equal(epochs.length, 4)
  sameParameters(t, model, wanted, 'resumed')
  const others = inBlocks(data, [30], { digest: 'other points' })
  await rejects(
    t,
    trained(others, { ...more, epochs: 5, checkpoint }),
    DataError,
    /differs in data/,
  )
})

onBothBackendsLater('a run goes on from within an epoch with the same bits', async (t) => {
  const source = inBlocks(data, [30], { digest: 'points' })
  for (const cache of [true, false]) {
    const more = { shuffleBuffer: 64, epochs: 4, cache, metrics: ['f1'] as const }
    const { model: wanted, epochs } = await trained(source, more)
    const run = `${t.testdir()}/${cache}`
    // In the first pass, whose length nobody knows yet, and in a later one.
    for (const [epoch, step] of [
      [1, 11],
      [3, 20],
    ]) {
      const signal = { aborted: false }
      const onStep = (report: { epoch: number; step: number }) => {
        signal.aborted ||= report.epoch === epoch && report.step === step
      }
      await trained(source, { ...more, run, signal, stepwise: true, onStep })
      t.ok(existsSync(`${run}/checkpoints/epoch-${epoch - 1}-step-${step}.safetensors`))
    }
    const last = await trained(source, { ...more, run })
    sameParameters(t, last.model, wanted, `cache ${cache}`)
    const figures = (all: typeof epochs) =>
      all.map(({ seconds: _, examplesPerSecond: __, ...report }) => report)
    t.strictSame(figures(last.epochs), figures(epochs))
  }
  const unnamed = trained(inBlocks(data, [30]), { run: `${t.testdir()}/unnamed` })
  await rejects(t, unnamed, ArgumentError, /expected a digest of .* beside run, got none/)
})

t.test('going back after a divergence', async (t) => {
  const { model, options } = start({ onDivergence: 'restoreAndLowerLr', shuffleBuffer: 64 })
  const optimizer = new SGD(model.parameters(), { lr: 1e30 })
  const { source, seen } = watched(inBlocks(data, [30]))
  let history: Awaited<ReturnType<typeof fit>> | undefined
  await warningsOf(async () => {
    history = await fit(model, source, { ...options, optimizer })
  })
  t.equal(history?.ended, 'diverged')
  t.equal(seen.begun, seen.ended)
})

t.test('sorted by class, blocks train as well as a full shuffle', async (t) => {
  const [train, test] = [blobs(10_000, 1), blobs(10_000, 2)]
  const classes = 10
  const accuracyOf = async (source: typeof train | BlockSource<'labels'>, more: object) => {
    const model = network([16, 32, classes], 5)
    const optimizer = new Adam(model.parameters(), { lr: schedules.cosine(0.01, 313 * 5) })
    const options = { loss, optimizer, epochs: 5, seed: 1, ...more }
    await fit(model, source as BlockSource<'labels'>, options)
    return (await evaluate(model, test, { loss })).accuracy ?? 0
  }
  const wanted = await accuracyOf(train, {})
  // A window has 1024 of them: those of one class, or of two.
  const source = inBlocks(train, [500])
  const found = await accuracyOf(source, { shuffleBuffer: 1024 })
  t.ok(found > wanted - 0.003, `${found}, with a full shuffle ${wanted}`)
  const inOrder = await accuracyOf(source, { shuffleBuffer: 1024, cache: false })
  t.ok(inOrder < wanted - 0.03, `${inOrder} where only windows are mixed`)
})

/** Points around a centre for each of ten classes, class by class; the clouds overlap. */
function blobs(size: number, seed: number) {
  const [width, classes] = [16, 10]
  const centres = new Generator(99).normal([classes, width], 0, 0.75).data()
  const inputs = new Generator(seed).normal([size, width]).data()
  const targets = Int32Array.from({ length: size }, (_, i) => Math.floor((i * classes) / size))
  for (let i = 0; i < inputs.length; i++) {
    inputs[i] += centres[targets[Math.floor(i / width)] * width + (i % width)]
  }
  return dataset({ inputs, inputShape: [width], targets })
}

t.test('predict', async (t) => {
  const { model } = await trained(inBlocks(data, [30]))
  const { source, seen } = watched(inBlocks(data, [30]))
  const found: Float32Array[] = []
  for await (const rows of predict(model, source)) found.push(...rows)
  t.strictSame(found, predict(model, data))
  t.strictSame([seen.begun, seen.ended], [1, 1])
  const classes = data.classes
  const classifier = {
    model,
    inputs: 4,
    classes,
    loss: 'softmaxCrossEntropy',
  } as never as Classifier
  const names: string[] = []
  for await (const block of predict(classifier, source)) names.push(...block.names)
  t.strictSame(names, predict(classifier, data).names)
  for await (const _ of predict(model, inBlocks(data, [30]))) break
})

t.test(
  'a full disk costs the cache alone',
  {
    skip: process.platform === 'win32' && 'it has no limit to set',
  },
  async (t) => {
    const before = ['bash', '-c', 'unset NODE_OPTIONS; ulimit -f 8; exec "$@"', '--']
    const { stdout, stderr, code } = await inChild({ before }, async (nb) => {
      const source: BlockSource<'values'> = {
        inputShape: [4],
        *blocks() {
          for (let i = 0; i < 20; i++)
            yield { inputs: new Float32Array(400), targets: new Float32Array(100) }
        },
      }
      const model = nb.mlp([4, 1])
      const optimizer = new nb.SGD(model.parameters(), { lr: 0.1 })
      const { epochs } = await nb.fit(model, source, {
        loss: nb.mse,
        optimizer,
        epochs: 3,
        shuffleBuffer: 100,
      })
      console.log(epochs.map(({ examples }) => examples).join())
    })
    t.strictSame([code, stdout], [0, '2000,2000,2000\n'], stderr)
    t.match(stderr, /could not be written \(EFBIG/)
    t.equal(stderr.match(/NeuroblasWarning/g)?.length, 1)
  },
)

t.test('memory stays as it is, however many blocks there are', async (t) => {
  const model = network([4, 1])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const block = { inputs: new Float32Array(4000), targets: new Float32Array(1000) }
  const held = new Set<number>()
  const source: BlockSource<'values'> = {
    inputShape: [4],
    *blocks() {
      for (let i = 0; i < 40; i++) {
        if (i > 8) held.add(memory().live)
        yield block
      }
    },
  }
  await fit(model, source, { loss: mse, optimizer, epochs: 1, batchSize: 100, shuffleBuffer: 1000 })
  const [least, most] = [Math.min(...held), Math.max(...held)]
  // Orders of windows and the results of steps come and go.
  t.ok(most - least < 64 * 1024, `${least} to ${most}`)
})

t.test('an aborted training closes its source', async (t) => {
  const { source, seen } = watched(inBlocks(data, [10]))
  const signal = { aborted: false }
  const { epochs } = await trained(source, {
    signal,
    stepwise: true,
    shuffleBuffer: 16,
    onStep: ({ step }) => {
      signal.aborted = step === 4
    },
  })
  t.equal(epochs[0].examples, 32)
  t.strictSame([seen.begun, seen.ended], [1, 1])
})

t.test('errors of a source, and blocks that do not fit', async (t) => {
  const before = await settledMemory()
  const block = (n: number, width = 4) => ({
    inputs: new Float32Array(n * width).fill(1),
    targets: new Int32Array(n),
  })
  const of = (...blocks: unknown[]): BlockSource<'labels'> => ({
    name: 'points',
    inputShape: [4],
    classes: ['a', 'b', 'c'],
    blocks: () => blocks as never,
  })
  const nan = block(9)
  nan.inputs[4 * 5 + 1] = Number.NaN
  const label = block(9)
  label.targets[3] = 3
  for (const [source, error, message] of [
    [
      of(block(8), { ...block(8), inputs: block(8, 5).inputs }),
      ShapeError,
      "fit: expected 4 inputs and 1 target for each example in block 2 (from row 8 on) of 'points', got 40 inputs and 8 targets",
    ],
    [
      of(block(8), { ...block(8), inputs: new Float64Array(32) }),
      ArgumentError,
      /^fit: expected inputs in a Float32Array and targets in a Int32Array in block 2/,
    ],
    [of(null), ArgumentError, /block 1 .* got null$/],
    [of(), DataError, "fit: expected examples in 'points', got none"],
    [of(block(0)), DataError, "fit: expected examples in 'points', got none"],
    [of(block(8), nan), DataError, "fit: expected finite inputs, got NaN in row 13 of 'points'"],
    [of(block(8), label), DataError, "fit: expected labels in 0..2, got 3 in row 11 of 'points'"],
    [
      { ...of(block(8)), size: 9 },
      DataError,
      "fit: expected 9 examples in 'points', got 8; it ended early, or its data have changed",
    ],
    [
      { ...of(), blocks: () => wrong(3) },
      ArgumentError,
      "fit: expected blocks() of 'points' to give an iterable of blocks, got 3",
    ],
  ] as const) {
    const { source: seen, seen: counts } = watched(source)
    await rejects(t, trained(source, { shuffleBuffer: 8 }), error, message)
    await rejects(t, trained(seen, { shuffleBuffer: 8 }), Error, /./)
    t.equal(counts.begun, counts.ended, 'closed')
  }
  const failing: BlockSource<'labels'> = {
    ...of(),
    async *blocks() {
      yield block(30)
      throw new TypeError('the network went away')
    },
  }
  await rejects(t, trained(failing, { shuffleBuffer: 8 }), TypeError, 'the network went away')
  let epoch = 0
  const changing: BlockSource<'labels'> = {
    ...of(),
    *blocks() {
      yield block(epoch++ === 0 ? 30 : 29)
    },
  }
  await rejects(
    t,
    trained(changing, { cache: false }),
    DataError,
    /expected 30 examples in 'points', got 29/,
  )
  t.strictSame(await settledMemory(), before, 'nothing is left')
  const { losses } = await trained(inBlocks(data, [30]))
  t.equal(losses.length, 3, 'and it goes on')
})

t.test('options that blocks do not have', async (t) => {
  const source = inBlocks(data, [30])
  for (const [given, error, message] of [
    [
      { sampleWeights: labels },
      ArgumentError,
      /expected a data set, as dataset\(\) makes it, beside sampleWeights/,
    ],
    [
      { validation: 0.1 },
      ArgumentError,
      /expected validation as a data set or a block source beside blocks, got 0.1/,
    ],
    [{ validation: values }, ShapeError, /expected validation examples of inputs \[4\] and labels/],
    [{ shuffleBuffer: 0 }, ArgumentError, /expected shuffleBuffer >= 1, got 0/],
    [{ shuffle: false, shuffleBuffer: 10 }, ArgumentError, /expected shuffle beside shuffleBuffer/],
    [{ cache: 3 }, ArgumentError, /expected cache true, false or the path of a folder, got 3/],
    [
      { cache: 'folder' },
      ArgumentError,
      /expected a digest of 'points'.* beside a cache that is kept, got none/,
    ],
    [
      { checkpoint: 'file' },
      ArgumentError,
      /expected a digest of 'points'.* beside checkpoint, got none/,
    ],
    [
      { classWeights: [1, 2] },
      ShapeError,
      /expected classWeights for each class, 3 of them, got 2/,
    ],
    [{ window: 3 }, ArgumentError, /window/],
  ] as const) {
    await rejects(t, trained(source, wrong(given)), error, message)
  }
  await rejects(
    t,
    trained({ ...source, inputShape: wrong('4') }),
    ArgumentError,
    /the inputShape of a block source/,
  )
  await rejects(
    t,
    trained({ ...source, targetShape: [2] }),
    ArgumentError,
    /labels \(classes\) or of values/,
  )
  const { model, options } = start()
  await rejects(t, fit(model, data, wrong({ ...options, cache: true })), ArgumentError, /cache/)
})
