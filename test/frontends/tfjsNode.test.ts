import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import * as tf from '../../lib/frontends/tfjsNode/index.js'
import { inChild } from '../support/child.js'

t.before(() => tf.setBackend('neuroblas'))

const network = () =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, activation: 'relu', inputShape: [3] }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 2 }),
    ],
  })
const predicted = (model: tf.LayersModel) =>
  Array.from((model.predict(tf.ones([2, 3])) as tf.Tensor).dataSync())

t.test('a model in files, by file:// and by a folder', async (t) => {
  const folder = t.testdir()
  const model = network()
  await model.save(`file://${folder}/a`)
  await model.save(tf.io.fileSystem(join(folder, 'b')))
  t.strictSame(readdirSync(join(folder, 'a')).sort(), ['model.json', 'weights.bin'])
  for (const place of [
    `file://${folder}/a/model.json`,
    `file://${folder}/b`,
    tf.io.fileSystem(join(folder, 'b/model.json')),
  ]) {
    t.strictSame(predicted(await tf.loadLayersModel(place)), predicted(model))
  }
  await t.rejects(tf.loadLayersModel(`file://${folder}/none/model.json`), { code: 'ENOENT' })
})

t.test('a path with a % of its own, and the URL of a file', async (t) => {
  const folder = t.testdir()
  const model = network()
  await model.save(`file://${folder}/100%`)
  await model.save(pathToFileURL(join(folder, 'a b')).href)
  t.strictSame(readdirSync(folder).sort(), ['100%', 'a b'])
  const loaded = await tf.loadLayersModel(`file://${folder}/100%/model.json`)
  t.strictSame(predicted(loaded), predicted(model))
})

t.test('what is no model, and no path', async (t) => {
  const folder = t.testdir()
  for (const text of ['{ no', 'null', '{}', '[]', '{"modelTopology":{}}']) {
    const path = join(folder, 'model.json')
    writeFileSync(path, text)
    await t.rejects(tf.loadLayersModel(`file://${path}`), {
      name: 'DataError',
      message: /^load: expected a model of TensorFlow.js in .*model.json, got /,
    })
  }
  for (const path of ['', undefined, [join(folder, 'a'), join(folder, 'b')]]) {
    const load = () => tf.io.fileSystem(path as string)
    t.throws(load, /^fileSystem: expected the path of a file, got /)
  }
})

/** The records of an event file: the data of each, whose checksums stand around it. */
function recordsOf(bytes: Buffer): Buffer[] {
  const records = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    records.push(bytes.subarray(at + 12, at + 12 + length))
    at += length + 16
  }
  return records
}

t.test('event files are what TensorBoard reads', async (t) => {
  const folder = t.testdir()
  const writer = tf.node.summaryFileWriter(folder)
  writer.scalar('loss', 0.5, 3)
  writer.scalar('loss', tf.scalar(0.25), 300)
  writer.histogram('weights', [1, 2, 2, 4], 3, 3)
  writer.flush()
  const [file] = readdirSync(folder)
  t.match(file, /^events\.out\.tfevents\.\d+\./)
  const bytes = readFileSync(join(folder, file))
  const [version, first, second, histogram] = recordsOf(bytes)
  t.match(version.toString('latin1'), /brain\.Event:2$/)
  // Wall time (a double), step 3, and a summary of one value: its name and a float.
  t.equal(first.subarray(9).toString('hex'), '10032a0d0a0b0a046c6f7373150000003f')
  t.equal(second.subarray(9, 12).toString('hex'), '10ac02')
  const limits = Buffer.from(Float64Array.of(2, 3, 4).buffer)
  const counts = Buffer.from(Float64Array.of(1, 2, 1).buffer)
  t.ok(histogram.includes(limits))
  t.ok(histogram.includes(counts))
  // The length of the version's record, and its checksum as TensorFlow itself writes it.
  t.equal(bytes.subarray(0, 12).toString('hex'), '1800000000000000a37f4b22')
})

t.test('events that would not be what they say are refused', async (t) => {
  const folder = t.testdir()
  const writer = tf.node.summaryFileWriter(folder)
  for (const step of [-1, 1.5, Number.NaN, undefined as unknown as number]) {
    const expected = /^scalar: expected step to be a whole number from 0, got /
    t.throws(() => writer.scalar('loss', 1, step), expected)
  }
  const value = (given: unknown) => () => writer.scalar('loss', given as number, 0)
  t.throws(value('1'), /^scalar: expected a number or a scalar, got '1'/)
  t.throws(value(tf.ones([3])), /^scalar: expected a number or a scalar, got Tensor/)
  t.throws(() => writer.scalar(undefined as unknown as string, 1, 0), /^scalar: expected a name/)
  t.throws(() => writer.histogram('w', [1], 0, 0), /^histogram: expected buckets >= 1, got 0/)
  const nothing = undefined as unknown as number[]
  t.throws(() => writer.histogram('w', nothing, 0), /^histogram: expected a tensor or numbers/)
  t.equal(recordsOf(readFileSync(join(folder, readdirSync(folder)[0]))).length, 1)
  t.throws(() => tf.node.tensorBoard(''), /^tensorBoard: expected the path of a file, got ''/)
  const options = { histogramFreq: 1 } as object
  t.throws(
    () => tf.node.tensorBoard(folder, options),
    /^tensorBoard: expected options among updateFreq, got histogramFreq/,
  )
})

t.test('fit tells of its epochs, unless it is silent', async (t) => {
  const program = async (_nb: unknown, _tools: unknown, module: string) => {
    const tf = await import(module)
    await tf.ready()
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mae'] })
    const [x, y] = [tf.ones([8, 2]), tf.ones([8, 1])]
    await model.fit(x, y, { epochs: 2, validationSplit: 0.5, batchSize: 2 })
    await model.fit(x, y, { epochs: 1, verbose: 0 })
    const data = tf.data.array([{ xs: [1, 2], ys: [1] }]).batch(1)
    await model.fitDataset(data, { epochs: 1, verbose: 1 })
  }
  const module = String(new URL('../../lib/frontends/tfjsNode/index.js', import.meta.url))
  const { stdout, stderr } = await inChild({}, program, module)
  t.equal(stderr, '')
  const figures = '\\d+ms \\d+us/step - loss=[\\d.e-]+ mae=[\\d.e-]+'
  const validated = `${figures} val_loss=[\\d.e-]+ val_mae=[\\d.e-]+\n`
  const epochs = `Epoch 1 / 2\n${validated}Epoch 2 / 2\n${validated}`
  t.match(stdout, new RegExp(`^${epochs}Epoch 1 / 1\n${figures}\n$`))
})

t.test('fit writes for TensorBoard', async (t) => {
  const folder = t.testdir()
  const model = network()
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const [x, y] = [tf.ones([8, 3]), tf.ones([8, 2])]
  const callbacks = tf.node.tensorBoard(folder)
  await model.fit(x, y, { epochs: 2, verbose: 0, validationSplit: 0.25, callbacks })
  for (const part of ['train', 'val']) {
    const [file] = readdirSync(join(folder, part))
    const records = recordsOf(readFileSync(join(folder, part, file)))
    t.equal(records.length, 3, 'the version and two epochs')
    t.ok(records[2].includes('epoch_loss'))
  }
  const steps = tf.node.tensorBoard(join(folder, 'steps'), { updateFreq: 'batch' })
  await model.fit(x, y, { epochs: 2, batchSize: 4, verbose: 0, callbacks: steps })
  const [file] = readdirSync(join(folder, 'steps/train'))
  const records = recordsOf(readFileSync(join(folder, 'steps/train', file)))
  t.equal(records.length, 1 + 4 + 2)
  t.throws(() => tf.node.tensorBoard(folder, { updateFreq: 'never' as 'epoch' }), /batch or epoch/)
})

t.test('a SavedModel is refused, and the converter named', async (t) => {
  await t.rejects(tf.node.loadSavedModel('folder'), /tensorflowjs_converter/)
})

t.test('in the place of @tensorflow/tfjs-node, in CommonJS', async (t) => {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const folder = t.testdir({
    node_modules: {
      neuroblas: t.fixture('symlink', root),
      '@tensorflow': {
        'tfjs-node': {
          'package.json': JSON.stringify({ name: '@tensorflow/tfjs-node', main: 'index.js' }),
          'index.js': "module.exports = require('neuroblas/tfjs-node')",
        },
      },
    },
    'program.cjs': `
      const tf = require('@tensorflow/tfjs-node')
      tf.ready().then(() => console.log(tf.getBackend(), tf.add(1, 2).dataSync()[0]))
    `,
  })
  const { stdout } = await promisify(execFile)(process.execPath, ['program.cjs'], { cwd: folder })
  t.equal(stdout, 'neuroblas 3\n')
})
