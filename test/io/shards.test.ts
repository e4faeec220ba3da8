/** Models in several files with an index: both ways, in place of each other, and what does not fit together. */
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { DataError, DivergenceError, loadModel, loadTorch, saveModel } from '../../lib/index.js'
import { FileLock } from '../../lib/io/lock.js'
import { readModelFile, readModelHeader, writeModelFile } from '../../lib/io/modelFile.js'
import { encodeSafetensors } from '../../lib/io/safetensors.js'
import { splitIntoShards } from '../../lib/io/shards/split.js'
import { network, sameParameters } from '../support/engine.js'
import { wrong } from '../support/reference.js'

const INDEX = 'model.safetensors.index.json'
const pathIn = (t: Test) => join(t.testdir(), 'model.safetensors')
const filesOf = (path: string) => readdirSync(join(path, '..')).sort()
const names = (count: number, version = '') =>
  Array.from(
    { length: count },
    (_, i) => `model-0000${i + 1}-of-0000${count}${version}.safetensors`,
  )

/** 5·4 + 4 + 4·3 + 3 values: the weights have 80 and 48 bytes. */
const model = (seed: number) => network([5, 4, 3], seed)
const set = { maxShardSize: 100 }

t.test(
  'a set is written, and read by its index, its folder and the name of the model',
  async (t) => {
    const path = pathIn(t)
    const saved = model(1)
    saveModel(saved, path, { note: 'ä' }, set)
    t.strictSame(filesOf(path), [...names(2), INDEX])
    for (const from of [path, `${path}.index.json`, join(path, '..')]) {
      const other = model(2)
      t.strictSame(loadModel(other, from), { note: 'ä' })
      sameParameters(t, other, saved, from)
    }
    const { metadata, weight_map } = JSON.parse(readFileSync(`${path}.index.json`, 'utf8'))
    t.strictSame(metadata, { total_size: 4 * 39 })
    t.strictSame(weight_map, {
      'layers.0.weight': names(2)[0],
      'layers.0.bias': names(2)[0],
      'layers.2.weight': names(2)[1],
      'layers.2.bias': names(2)[1],
    })
    t.match(readModelHeader(path).tensors.get('layers.2.weight'), { dtype: 'F32', shape: [4, 3] })
  },
)

t.test('PyTorch’s names and weights, read by loadTorch', async (t) => {
  const path = pathIn(t)
  const [saved, other] = [model(1), model(2)]
  saveModel(saved, path, { layout: 'torch' }, set)
  t.match(readModelFile(path).metadata, { format: 'pt' })
  loadTorch(join(path, '..'), other)
  sameParameters(t, other, saved, 'the same bits')
})

t.test('a set that huggingface_hub wrote, cut at the same places as here', async (t) => {
  const folder = fileURLToPath(new URL('../fixtures/shards', import.meta.url))
  const { tensors, metadata } = readModelFile(folder)
  t.strictSame(metadata, { format: 'pt', note: 'of the index' })
  const { weight_map } = JSON.parse(readFileSync(join(folder, INDEX), 'utf8'))
  const shards = splitIntoShards(
    ['small', 'large', 'second', 'fits', 'last'].map((name) => [name, tensors.get(name)!]),
    64,
  )
  t.strictSame(
    shards.map((shard) => shard.map(([name]) => name)),
    [...new Set<string>(Object.values(weight_map))]
      .sort()
      .map((file) => Object.keys(weight_map).filter((name) => weight_map[name] === file)),
  )
  t.strictSame(tensors.get('last')!.data, Float32Array.of(0.5, 1.5))
  const whole = encodeSafetensors(shards[0], { format: 'pt' })
  t.strictSame(Buffer.from(whole), readFileSync(join(folder, names(4)[0])), 'the same bytes')
})

t.test('what takes whose place', async (t) => {
  const path = pathIn(t)
  const readsAs = (seed: number, files: string[]) => {
    t.strictSame(filesOf(path), files)
    const other = model(9)
    loadModel(other, path)
    sameParameters(t, other, model(seed), `${seed}`)
  }
  saveModel(model(1), path)
  saveModel(model(2), path, {}, set)
  readsAs(2, [...names(2), INDEX])
  saveModel(model(3), path, {}, set)
  readsAs(3, [...names(2, '.v2'), INDEX])
  saveModel(model(4), path, {}, { maxShardSize: 1 })
  readsAs(4, [...names(4), INDEX])
  // Names that are near to a shard's are somebody else's.
  const others = [
    'model-00001-of-00002.bin',
    'model-1-of-2.safetensors',
    'my-model-00001-of-00002.safetensors',
  ]
  for (const name of others) writeFileSync(join(path, '..', name), 'x')
  saveModel(model(5), path, {}, { maxShardSize: '1MB' })
  readsAs(5, ['model.safetensors', ...others].sort())
})

t.test('a failure at any moment leaves the old set, and the next write cleans up', async (t) => {
  const path = pathIn(t)
  saveModel(model(1), path, {}, set)
  const old = filesOf(path)
  const { renameSync: rename } = fs
  for (const moment of [1, 2, 3]) {
    let renames = 0
    fs.renameSync = (from, to) => {
      if (String(to).includes('.lock') || ++renames < moment) return rename(from, to)
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
    }
    syncBuiltinESMExports()
    try {
      t.throws(() => saveModel(model(2), path, {}, set), { code: 'ENOSPC' })
    } finally {
      fs.renameSync = rename
      syncBuiltinESMExports()
    }
    t.strictSame(filesOf(path), old, `${moment}`)
  }
  // As a process that was killed leaves it: shards of a set that no index names.
  for (const name of names(3, '.v2')) writeFileSync(join(path, '..', name), 'half')
  const other = model(3)
  loadModel(other, path)
  sameParameters(t, other, model(1), 'the first')
  saveModel(model(2), path, {}, set)
  t.strictSame(filesOf(path), [...names(2, '.v3'), INDEX])
  loadModel(other, path)
  sameParameters(t, other, model(2), 'the second')
})

t.test('an index that cannot be flushed to the disk keeps its shards', async (t) => {
  const path = pathIn(t)
  const { fsyncSync: fsync } = fs
  fs.fsyncSync = (fd) => {
    if (existsSync(`${path}.index.json`)) throw Object.assign(new Error('broken'), { code: 'EIO' })
    fsync(fd)
  }
  syncBuiltinESMExports()
  try {
    t.throws(() => saveModel(model(1), path, {}, set), { code: 'EIO' })
  } finally {
    fs.fsyncSync = fsync
    syncBuiltinESMExports()
  }
  const other = model(2)
  loadModel(other, path)
  sameParameters(t, other, model(1), 'the first')
})

t.test('what is not finite takes no finite set’s place; one writer at a time', async (t) => {
  const path = pathIn(t)
  saveModel(model(1), path, {}, set)
  const diverged = model(2)
  diverged.parameters()[0].assign(new Array(20).fill(Number.NaN))
  for (const options of [set, {}]) {
    t.throws(() => saveModel(diverged, path, {}, options), DivergenceError)
  }
  const lock = new FileLock(`${path}.index.json`)
  t.throws(() => saveModel(model(3), path, {}, set), DataError)
  lock.release()
  const other = model(2)
  loadModel(other, path)
  sameParameters(t, other, model(1), 'the first')
})

t.test('a set that is replaced while it is read is read once more', async (t) => {
  const path = pathIn(t)
  const entries = (value: number) =>
    ['a', 'b'].map((name) => [name, { shape: [1], data: Float32Array.of(value) }] as const)
  const write = (value: number) => writeModelFile(path, entries(value), {}, 4)
  const valuesOf = () => [...readModelFile(path).tensors.values()].map(({ data }) => data[0])
  write(1)
  const { openSync: open } = fs
  /** Calls `meanwhile` when the second shard is about to be read, and as often as that happens. */
  const whileRead = (meanwhile: () => void, run: () => void) => {
    let isInside = false
    fs.openSync = ((file: string, flags: string) => {
      if (!isInside && flags === 'r' && /00002-of/.test(file)) {
        isInside = true
        meanwhile()
        isInside = false
      }
      return open(file, flags)
    }) as typeof fs.openSync
    syncBuiltinESMExports()
    try {
      run()
    } finally {
      fs.openSync = open
      syncBuiltinESMExports()
    }
  }
  let left = 1
  const twice = () => {
    if (left-- > 0) for (const value of [2, 3]) write(value)
  }
  whileRead(twice, () => t.strictSame(valuesOf(), [3, 3], 'files of the same names as before'))
  left = 1
  const single = () => {
    if (left-- > 0) writeModelFile(path, entries(4), {})
  }
  whileRead(single, () => t.strictSame(valuesOf(), [4, 4], 'by a single file'))
  write(5)
  whileRead(
    () => write(6),
    () => t.throws(valuesOf, { name: 'DataError', message: /a set of files that stays .* 10 new/ }),
  )
})

t.test('sizes and names that are refused', async (t) => {
  const path = pathIn(t)
  for (const maxShardSize of [
    Object.create(null),
    0,
    -1,
    1.5,
    Number.NaN,
    '',
    '5',
    '5 MiB',
    '-5MB',
    '0MB',
    null,
    {},
    [5],
  ]) {
    t.throws(
      () => saveModel(model(1), path, {}, wrong({ maxShardSize })),
      {
        name: 'ArgumentError',
        message: /^saveModel: expected maxShardSize in bytes, or such as '500MB'/,
      },
      inspect(maxShardSize),
    )
  }
  for (const options of [set, {}]) {
    t.throws(() => saveModel(model(1), `${path}.index.json`, {}, options), {
      name: 'ArgumentError',
      message: /index\.json: expected the name of a model, such as model\.safetensors/,
    })
  }
  t.throws(() => saveModel(model(1), join(path, '..'), {}, set), { name: 'ArgumentError' })
  t.strictSame(filesOf(path), [])
  saveModel(model(1), path, {}, { maxShardSize: '0.00008 MB' })
  t.equal(filesOf(path).length, 3, '80 bytes, which the first weight fills, and the index')
})

t.test('malformed indexes, and shards that do not fit them', async (t) => {
  const folder = t.testdir()
  const put = (name: string, tensors: string[], metadata = {}) => {
    const entries = tensors.map(
      (tensor) => [tensor, { shape: [1], data: Float32Array.of(1) }] as const,
    )
    writeFileSync(join(folder, name), encodeSafetensors(entries, metadata))
  }
  put('1.safetensors', ['a', 'b'], { layout: 'torch' })
  put('2.safetensors', ['c'])
  put('3.safetensors', ['c', 'a'])
  put('4.safetensors', ['c'], { layout: 'inputOutput' })
  writeFileSync(join(folder, '5.safetensors'), 'no file of safetensors')
  mkdirSync(join(folder, '6.safetensors'))
  mkdirSync(join(folder, 'sub'))
  put('sub/7.safetensors', ['c'])
  const index = (shards: Record<string, unknown>, metadata: unknown = { total_size: 12 }) =>
    JSON.stringify({ metadata, weight_map: shards })
  const one = '1.safetensors'
  const cOf = (shard: unknown) => index({ a: one, b: one, c: shard })
  const cases: [string, string | Buffer, RegExp][] = [
    ['empty', '', /an index as JSON, got text that is none/],
    ['cut', cOf('2.safetensors').slice(0, -3), /an index as JSON/],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /an index as JSON/],
    ['deep', '['.repeat(1e5), /an index as JSON, .* nested/],
    ['list', '[]', /an index \{ metadata, weight_map \}, got \[\]/],
    ['null', 'null', /an index \{ metadata, weight_map \}, got null/],
    ['no map', '{"metadata":{}}', /an index \{ metadata, weight_map \}/],
    ['map a list', '{"weight_map":[]}', /an index \{ metadata, weight_map \}/],
    ['metadata text', index({}, 'x'), /an index \{ metadata, weight_map \}/],
    ['a number', cOf(2), /the name of a file beside it for "c", got 2/],
    ['no name', cOf(''), /the name of a file beside it/],
    ['above', cOf('../2.safetensors'), /the name of a file beside it .* got '\.\.\/2/],
    ['the folder above', cOf('..'), /the name of a file beside it/],
    ['below', cOf('sub/7.safetensors'), /the name of a file beside it/],
    ['absolute', cOf(join(folder, '2.safetensors')), /the name of a file beside it/],
    ['on Windows', cOf('..\\2.safetensors'), /the name of a file beside it/],
    ['a drive', cOf('C:2.safetensors'), /the name of a file beside it/],
    ['a zero', cOf('2.safetensors\0'), /the name of a file beside it/],
    [
      'missing',
      cOf('8.safetensors'),
      /8\.safetensors: expected a shard, as m.index.json says, found nothing/,
    ],
    ['a folder', cOf('6.safetensors'), /6\.safetensors: expected a shard, .* found no file/],
    ['malformed', cOf('5.safetensors'), /5\.safetensors: expected a safetensors file/],
    [
      'another’s',
      index({ a: one, b: one, c: one }),
      /"c" in 1\.safetensors, got a shard without it/,
    ],
    ['not said', index({ a: one }), /in the one shard .* got "b" in 1\.safetensors, too/],
    ['twice', cOf('3.safetensors'), /in the one shard .* got "a" in 3\.safetensors, too/],
    ['of two models', cOf('4.safetensors'), /one text for "layout" in all shards/],
    ['of another index', index({ a: one, b: one }, { layout: 'x' }), /one text for "layout"/],
  ]
  const file = join(folder, 'm.index.json')
  for (const [name, text, message] of cases) {
    writeFileSync(file, text)
    t.throws(() => readModelFile(file), { name: 'DataError', message }, name)
    t.throws(() => readModelHeader(file), { name: 'DataError', message }, name)
  }
  writeFileSync(file, cOf('2.safetensors'))
  t.strictSame([...readModelFile(file).tensors.keys()], ['a', 'b', 'c'])
  writeFileSync(file, '{"weight_map":{}}')
  t.equal(readModelFile(file).tensors.size, 0)
  t.throws(() => readModelFile(folder), {
    message: /: expected a model file, found no file$/,
  })
})

const noLinks = process.platform === 'win32' && 'links need rights'
t.test('links: into the cache of Hugging Face, but nowhere else', { skip: noLinks }, async (t) => {
  const path = pathIn(t)
  const folder = join(path, '..')
  saveModel(model(1), path, {}, set)
  const [blobs, snapshot] = ['blobs', 'snapshot'].map((name) => join(folder, name))
  mkdirSync(blobs)
  mkdirSync(snapshot)
  for (const [i, name] of [...names(2), INDEX].entries()) {
    renameSync(join(folder, name), join(blobs, `${i}`))
    symlinkSync(`../blobs/${i}`, join(snapshot, name))
  }
  const other = model(2)
  loadModel(other, snapshot)
  sameParameters(t, other, model(1), 'the first')
  rmSync(join(snapshot, INDEX))
  renameSync(join(blobs, '2'), join(snapshot, INDEX))
  t.throws(() => loadModel(other, snapshot), {
    name: 'DataError',
    message: /expected shards in the folder .*snapshot, got a link to .*blobs.0$/,
  })
  symlinkSync('nowhere', join(folder, 'dangling.safetensors'))
  writeFileSync(join(folder, 'd.index.json'), '{"weight_map":{"a":"dangling.safetensors"}}')
  t.throws(() => readModelFile(join(folder, 'd.index.json')), { message: /found nothing/ })
})

t.test('property: a damaged index is read, or refused by its name', async (t) => {
  const path = pathIn(t)
  saveModel(model(1), path, {}, set)
  const file = `${path}.index.json`
  const good = readFileSync(file)
  const damage = fc.record({
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    flips: fc.array(fc.nat(8 * good.length - 1), { maxLength: 3 }),
  })
  const property = () =>
    fc.assert(
      fc.property(damage, ({ keep, flips }) => {
        const bytes = Buffer.from(good)
        for (const bit of flips) bytes[bit >> 3] ^= 1 << (bit & 7)
        writeFileSync(file, bytes.subarray(0, Math.round(keep * bytes.length)))
        try {
          readModelFile(file)
          return true
        } catch (error) {
          return error instanceof DataError && /: expected /.test(error.message)
        }
      }),
      { numRuns: 300 },
    )
  t.doesNotThrow(property)
})
