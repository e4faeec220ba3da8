// Changes files that are well-formed at random and reads them: each is read, or refused with an error of
// the library. Anything else is a finding; so is memory that grows with what a file only claims.
//   node scripts/fuzz/files.mjs [--files 2000] [--seed 1] [--trace]
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readIdx } from '../../lib/data/formats/idx.js'
import {
  fit,
  iris,
  loadClassifier,
  loadMlp,
  loadModel,
  loadNpy,
  loadNpz,
  loadOnnx,
  mlp,
  mnist,
  NeuroblasError,
  predict,
  SGD,
  saveClassifier,
  saveModel,
  setSeed,
  softmaxCrossEntropy,
  split,
  table,
  zeros,
} from '../../lib/index.js'
import { operators } from '../../lib/io/onnx/import/ops/index.js'
import { decode, encode } from '../../lib/io/onnx/protobuf.js'
import { modelProto } from '../../lib/io/onnx/schema.js'
import { HOSTILE, randomOf } from './random.mjs'

const { values: options } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    // Writes what is done to which file before it is read.
    trace: { type: 'boolean', default: false },
  },
})
const [FILES, SEED] = [Number(options.files), Number(options.seed)]
const { below, pick, chance } = randomOf(SEED)
const MOST_MEMORY = 2 ** 30

const folder = mkdtempSync(join(tmpdir(), 'neuroblas-fuzz-'))
const at = (name) => join(folder, name)
process.removeAllListeners('warning')
process.on('warning', () => {})

const small = split(iris(), 0.9, 1).train
const training = (model) => ({
  loss: softmaxCrossEntropy,
  optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.5 }),
  batchSize: 16,
  validation: 0.5,
  keepBest: true,
})

/** An IDX file of unsigned bytes. */
function idx(shape, values) {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  for (const [i, extent] of shape.entries()) header.writeUInt32BE(extent, 4 + 4 * i)
  return Buffer.concat([header, Buffer.from(values)])
}

async function makeSeeds() {
  setSeed(1)
  const model = mlp([4, 5, 3])
  saveModel(model, at('model'), { about: 'a model' })
  saveModel(model, at('set'), { about: 'a set' }, { maxShardSize: 80 })
  saveClassifier(
    model,
    at('classifier'),
    { units: [4, 5, 3], activation: 'relu' },
    {
      dataset: 'iris',
      seed: 1,
      classes: ['a', 'b', 'c'],
      preprocessing: { mean: [0, 1, 2, 3], scale: [1] },
      loss: 'cross-entropy',
      testAccuracy: 0.5,
    },
  )
  const checkpoint = at('checkpoint')
  await fit(model, small, { ...training(model), epochs: 2, checkpoint })
  const images = idx([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  const csv = 'a,b,class\n1,2,x\n-3.5,4e2,y\n"5",6,x\n7,"8\n",y\n9,NA,x\n'
  const read = (name) => readFileSync(at(name))
  return {
    model: read('model'),
    index: read('set.index.json'),
    classifier: read('classifier'),
    checkpoint: read('checkpoint'),
    csv: Buffer.from(csv),
    idx: images,
    idxGz: gzipSync(images),
    labels: idx([3], [0, 1, 9]),
  }
}

/** Arrays that NumPy wrote. */
function numpySeeds() {
  const file = new URL('../../test/fixtures/npy.json', import.meta.url)
  const { cases, archives } = JSON.parse(readFileSync(file, 'utf8'))
  const bytes = (text) => Buffer.from(text, 'base64')
  return {
    npy: bytes(cases['>f4'].file),
    npyTexts: bytes(cases.texts.file),
    npyFortran: bytes(cases.fortran.file),
    npz: bytes(archives.stored),
    npzDeflated: bytes(archives.deflated),
  }
}

const OPERATORS = Object.keys(operators).map((name) => name.split('.').at(-1))

/** Models of other exporters. */
const ONNX = [
  'attention-script',
  'convnet-dynamo',
  'decoder-script',
  'sklearn-table',
  'words-script',
]
const onnxOf = (name) =>
  readFileSync(new URL(`../../test/fixtures/onnx/${name}.onnx`, import.meta.url))

const seeds = {
  ...(await makeSeeds()),
  ...numpySeeds(),
  ...Object.fromEntries(ONNX.map((name) => [name, onnxOf(name)])),
}

/** Small inputs of what a model says it takes. */
function askOnnx(path) {
  const model = loadOnnx(path)
  const given = model.inputs.map(({ name, dtype, shape = [] }) => {
    if (dtype === 'string') return [name, ['Rome', 'Bern']]
    const extents = shape.map((extent, i) => (i === 0 || typeof extent === 'string' ? 2 : extent))
    return [name, zeros(extents).cast(dtype.startsWith('float') ? 'float32' : 'int32')]
  })
  model.run(Object.fromEntries(given))
}

/** What each file is read by. */
const readers = {
  model: (path) => loadModel(mlp([4, 5, 3]), path),
  index: (path) => {
    copyFileSync(path, at('set.index.json'))
    loadModel(mlp([4, 5, 3]), at('set'))
  },
  classifier: (path) => {
    loadMlp(path)
    predict(loadClassifier(path), [[1, 2, 3, 4]])
  },
  checkpoint: async (path) => {
    const model = mlp([4, 5, 3])
    await fit(model, small, { ...training(model), epochs: 2, checkpoint: path })
  },
  csv: (path) => table(path, { target: 'class', missing: 'drop', testFraction: 0.5 }),
  npy: (path) => loadNpy(path),
  npyTexts: (path) => loadNpy(path),
  npyFortran: (path) => loadNpy(path),
  npz: (path) => loadNpz(path),
  npzDeflated: (path) => loadNpz(path),
  idx: (path) => readIdx(path),
  idxGz: (path) => readIdx(path),
  ...Object.fromEntries(ONNX.map((name) => [name, askOnnx])),
  labels: (path) => {
    const images = join(folder, 'train-images-idx3-ubyte')
    writeFileSync(images, seeds.idx)
    writeFileSync(join(folder, 't10k-images-idx3-ubyte'), seeds.idx)
    writeFileSync(join(folder, 't10k-labels-idx1-ubyte'), seeds.labels)
    writeFileSync(join(folder, 'train-labels-idx1-ubyte'), readFileSync(path))
    mnist(folder)
  },
}

const NUMBERS = [...HOSTILE, 0, 1, 255, 256, 2 ** 31 - 1, 2 ** 32 - 1, -(2 ** 31)]

/** A header of safetensors with its length, and the bytes behind it. */
function withHeader(bytes, change) {
  const length = Number(bytes.readBigUInt64LE(0))
  if (length > bytes.length - 8) return bytes
  const text = bytes.subarray(8, 8 + length).toString()
  const header = Buffer.from(change(text))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([size, header, bytes.subarray(8 + length)])
}

const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth)
const aNumber = (text) =>
  text.replace(pick([/\d+/, /\d+(?=\D*$)/, /(?<=\[)\d+/]), `${pick(NUMBERS)}`)
const aWord = (text) =>
  text.replace(pick([/"\w+"/, /F32/, /(?<=,)"[^"]*"/]), pick(['"a"', 'null', '""']))
const aValue = (text) => text.replace(/(?<=:)"(?:[^"\\]|\\.)*"/, JSON.stringify(deep(below(1e5))))
function isJson(text) {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
/** JSON inside of JSON: what a model's notes are. */
const aNote = (text) =>
  text.replace(/(?<=:)"((?:[^"\\]|\\.)*)"/g, (all) => {
    if (chance(0.5) || !isJson(all)) return all
    const inner = pick([aNumber, aWord, (t) => t.replace(/\d+/, deep(below(1e5)))])(JSON.parse(all))
    return JSON.stringify(inner)
  })

/** Changes a field of a message, or of one inside: a number, a name, or one of a list. */
function aField(message) {
  const names = Object.keys(message).filter((name) => message[name]?.length !== 0)
  const name = pick(names)
  const value = message[name]
  if (typeof value === 'number') message[name] = Math.trunc(pick(NUMBERS)) || below(20)
  else if (typeof value === 'string') message[name] = pick([...OPERATORS, 'x', ''])
  else if (Array.isArray(value) && chance(0.2)) value.splice(below(value.length), 1, pick(value))
  else if (typeof value === 'object' && !ArrayBuffer.isView(value)) aField(value)
}

/** Ways to change a file. */
const changes = {
  flip: (bytes) => {
    const copy = Buffer.from(bytes)
    for (let i = 1 + below(4); i > 0; i--) copy[below(copy.length)] ^= 1 << below(8)
    return copy
  },
  byte: (bytes) => {
    const copy = Buffer.from(bytes)
    copy[below(copy.length)] = pick([0, 255, 128, 0x22, 0x2c, 0x0a, 0x5c, 0x7b])
    return copy
  },
  truncate: (bytes) => bytes.subarray(0, below(bytes.length + 1)),
  remove: (bytes) => {
    const from = below(bytes.length)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + below(9))])
  },
  insert: (bytes) => {
    const from = below(bytes.length)
    const piece = pick([Buffer.alloc(1 + below(99), below(256)), Buffer.from(`${pick(NUMBERS)}`)])
    return Buffer.concat([bytes.subarray(0, from), piece, bytes.subarray(from)])
  },
  repeat: (bytes) => Buffer.concat([bytes, bytes.subarray(below(bytes.length))]),
  splice: (bytes) => {
    const other = pick(Object.values(seeds))
    return Buffer.concat([
      bytes.subarray(0, below(bytes.length)),
      other.subarray(below(other.length)),
    ])
  },
  claim: (bytes) => {
    const copy = Buffer.from(bytes)
    if (copy.length >= 12) copy.writeUInt32BE(pick([0, 1, 2 ** 31, 2 ** 32 - 1]), pick([0, 4, 8]))
    return copy
  },
  header: (bytes) => (bytes.length < 8 ? bytes : withHeader(bytes, pick([aNumber, aWord, aValue]))),
  note: (bytes) => (bytes.length < 8 ? bytes : withHeader(bytes, aNote)),
  text: (bytes) => Buffer.from(pick([aNumber, aWord])(bytes.toString('latin1')), 'latin1'),
  message: (bytes) => {
    try {
      const model = structuredClone(decode(modelProto, bytes, 'a seed'))
      const { node, initializer } = model.graph
      aField(chance(0.9) ? pick([...node, ...node, ...initializer]) : model)
      return Buffer.concat(encode(modelProto, model))
    } catch {
      return bytes
    }
  },
  gzip: (bytes) => (bytes[0] === 0x1f ? gunzip(bytes) : gzipSync(bytes)),
}

function gunzip(bytes) {
  try {
    return gunzipSync(bytes)
  } catch {
    return bytes
  }
}

const findings = new Map()
let [taken, refused] = [0, 0]
console.log(`seed ${SEED}`)
for (let file = 1; file <= FILES; file++) {
  const kind = pick(Object.keys(seeds))
  let bytes = seeds[kind]
  const made = []
  for (let count = 1 + below(3); count > 0 && bytes.length > 0; count--) {
    const name = pick(Object.keys(changes))
    made.push(name)
    bytes = changes[name](bytes)
  }
  const about = `file ${file}: ${kind}, ${made.join(', ')}`
  if (options.trace) writeSync(2, `${about}\n`)
  const path = at(`${kind}.changed`)
  writeFileSync(path, bytes)
  try {
    await readers[kind](path)
    taken++
  } catch (error) {
    refused++
    if (error instanceof NeuroblasError) continue
    const key = `${kind}: ${error?.name}: ${String(error?.message).slice(0, 60)}`
    if (!findings.has(key)) findings.set(key, `${about}\n${error?.stack ?? error}`)
  }
}
rmSync(folder, { recursive: true })
const { maxRSS } = process.resourceUsage()
if (maxRSS * 1024 > MOST_MEMORY) findings.set('memory', `${maxRSS} KiB of memory were taken`)
for (const [, finding] of findings) console.error(`seed ${SEED}, ${finding}\n`)
if (findings.size > 0) {
  console.error(`${findings.size} findings`)
  process.exit(1)
}
console.log(`${taken} files read, ${refused} refused`)
console.log(`${FILES} files`)
