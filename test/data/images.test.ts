/** Folders of images: what is found in them, what becomes of each picture, and what is refused. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { lookForSystemFilesIn } from '../../lib/base/availableMemory.js'
import { isImageFolder } from '../../lib/data/images/listing.js'
import {
  ArgumentError,
  convnet,
  DataError,
  fit,
  type ImageFolderOptions,
  imageBlocks,
  imageFolder,
  loadClassifier,
  OutOfMemoryError,
  predict,
  readImages,
  SGD,
  saveClassifier,
  setSeed,
  softmaxCrossEntropy,
} from '../../lib/index.js'
import { rejects } from '../support/engine.js'

type Colour = { r: number; g: number; b: number; alpha?: number }
const plain = (background: Colour, width = 6, height = 4) =>
  sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } })
const red = { r: 200, g: 20, b: 10 }
const blue = { r: 10, g: 20, b: 200 }
const png = (colour: Colour) => plain(colour).png().toBuffer()
const [redPng, bluePng] = [await png(red), await png(blue)]
/** Black at the left, white at the right. */
const halves = (width = 8, height = 4) => {
  const pixels = Uint8Array.from({ length: width * height }, (_, i) =>
    i % width < width / 2 ? 0 : 255,
  )
  return sharp(pixels, { raw: { width, height, channels: 1 } })
}

const pixelsOf = async (bytes: Uint8Array, options: ImageFolderOptions = { size: [1, 1] }) =>
  Array.from((await readImages([bytes], options)).data)
const of = (folder: string, options: Partial<ImageFolderOptions> = {}) =>
  imageFolder(folder, { size: [2, 3], ...options })
/** Relative to a folder: which pictures are in a part, as each has a red of its own. */
const named = (reds: Record<string, number>) =>
  Promise.all(
    Object.entries(reds).map(async ([name, r]) => [name, await png({ r, g: 0, b: 0 })] as const),
  )
const write = (folder: string, files: readonly (readonly [string, Uint8Array])[]) => {
  for (const [name, bytes] of files) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
}
const redsOf = ({ inputs, size }: { inputs: ArrayLike<number>; size: number }) =>
  Array.from({ length: size }, (_, i) => inputs[(i * inputs.length) / size])

t.test('a folder for each class', async (t) => {
  const folder = t.testdir({})
  const files = await named({
    'b/1.png': 1,
    'b/2.png': 2,
    'a/3.png': 3,
    'a/inner/4.PNG': 4,
    'B/5.png': 5,
    'B/6.png': 6,
  })
  write(folder, [
    ...files,
    ['a/notes.txt', Buffer.from('none')],
    ['a/._3.png', Buffer.from('none')],
    ['.cache/x.png', redPng],
  ])
  const { train, test, validation, classes, format, name, notes } = await of(folder, {
    testFraction: 0.34,
  })
  t.strictSame(classes, ['B', 'a', 'b'], 'in the order of their codes, as Python sorts them')
  t.equal(validation, undefined)
  t.match(notes, [/left out 1 files that are no images, such as .*notes\.txt$/])
  t.strictSame(format, { size: [2, 3], channels: 3, resize: 'stretch' })
  t.equal(train.name, name)
  t.strictSame([train.size, test.size], [4, 2])
  t.strictSame(train.inputShape, [2, 3, 3])
  t.equal(train.scale, 1 / 255)
  t.equal(train.imageShape, undefined)
  const label = [0, 2, 2, 1, 1, 0, 0]
  for (const part of [train, test]) {
    t.strictSame(
      Array.from(part.targets),
      redsOf(part).map((r) => label[r]),
    )
  }
  t.strictSame([...redsOf(train), ...redsOf(test)].sort(), [1, 2, 3, 4, 5, 6])
  t.strictSame(
    await of(folder, { testFraction: 0.34 }),
    await of(folder, { testFraction: 0.34 }),
    'the same again',
  )
  t.notSame(redsOf((await of(folder, { testFraction: 0.34, seed: 1 })).test), redsOf(test))
})

t.test('parts of their own', async (t) => {
  const folder = t.testdir({})
  write(folder, await named({ 'train/a/1.png': 1, 'train/b/2.png': 2, 'val/a/3.png': 3 }))
  const two = await of(folder)
  t.strictSame([redsOf(two.train), redsOf(two.test), two.validation], [[1, 2], [3], undefined])
  await rejects(
    t,
    of(folder, { testFraction: 0.5 }),
    ArgumentError,
    /has no test part, got one with/,
  )
  write(folder, await named({ 'test/b/4.png': 4 }))
  const three = await of(folder)
  t.strictSame([redsOf(three.test), redsOf(three.validation!)], [[4], [3]])
  t.strictSame(Array.from(three.test.targets), [1])
  write(folder, await named({ 'test/c/5.png': 5 }))
  await rejects(
    t,
    of(folder),
    DataError,
    /test: expected the classes of train, a, b, got "c", too$/,
  )
})

t.test('links', async (t) => {
  const folder = t.testdir({ elsewhere: {} })
  write(folder, await named({ 'set/a/1.png': 1, 'set/b/2.png': 2, 'elsewhere/3.png': 3 }))
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'set/a/more'))
  symlinkSync(join(folder, 'set/a'), join(folder, 'set/a/round'))
  symlinkSync(join(folder, 'elsewhere/3.png'), join(folder, 'set/b/3.png'))
  const { train, test } = await of(join(folder, 'set'), { testFraction: 0.25 })
  t.strictSame([...redsOf(train), ...redsOf(test)].sort(), [1, 2, 3, 3])
  symlinkSync('nowhere', join(folder, 'set/b/4.png'))
  await rejects(
    t,
    of(join(folder, 'set')),
    DataError,
    /4\.png: expected a readable file, got "ENOENT/,
  )
})

t.test('folders that are none', async (t) => {
  const folder = t.testdir({
    flat: {},
    one: {},
    empty: { a: {}, b: {} },
    file: 'text',
    idx: { 'train-images-idx3-ubyte': '' },
  })
  write(folder, [
    ['flat/1.png', redPng],
    ['one/a/1.png', redPng],
    ['empty/a/1.png', redPng],
  ])
  const refused: [string, RegExp][] = [
    ['flat', /two or more, got none beside 1 images$/],
    ['one', /two or more, got "a" alone$/],
    ['empty', /expected images of each class, got none in "b"$/],
    ['file', /file: expected a folder of images, got a file$/],
    ['nothing', /nothing: expected a folder of images, got nothing of that name$/],
  ]
  for (const [name, message] of refused)
    await rejects(t, of(join(folder, name)), DataError, message)
  const kinds = ['flat', 'one', 'empty', 'file', 'nothing', 'idx'].map((name) =>
    isImageFolder(join(folder, name)),
  )
  t.strictSame(await Promise.all(kinds), [true, true, true, false, false, false])
})

t.test('images that do not decode', async (t) => {
  const folder = t.testdir({})
  const noise = await sharp({
    create: {
      width: 90,
      height: 90,
      channels: 3,
      noise: { type: 'gaussian', mean: 128, sigma: 50 },
      background: red,
    },
  })
    .jpeg()
    .toBuffer()
  write(folder, [
    ...(await named({ 'a/1.png': 1, 'a/3.png': 3, 'b/4.png': 4, 'b/5.png': 5 })),
    ['a/2.jpg', noise.subarray(0, 900)],
    ['b/0.png', new Uint8Array()],
  ])
  await rejects(
    t,
    of(folder),
    DataError,
    /\/(2\.jpg: expected an intact image, got ("VipsJpeg|one that)|0\.png: expected)/,
  )
  const { train, test, notes } = await of(folder, { unreadable: 'drop', testFraction: 0.4 })
  t.strictSame(
    [...redsOf(train), ...redsOf(test)].sort(),
    [1, 3, 4, 5],
    'the others have moved together',
  )
  t.equal(train.inputs.length, 18 * train.size)
  t.strictSame(
    Array.from(train.targets),
    redsOf(train).map((r) => (r < 4 ? 0 : 1)),
  )
  t.match(notes, [/left out 2 images that do not decode: .*2\.jpg: .*; .*0\.png: /])
  write(folder, [
    ['a/1.png', redPng.subarray(0, 60)],
    ['a/3.png', redPng.subarray(0, 60)],
  ])
  await rejects(
    t,
    of(folder, { unreadable: 'drop' }),
    DataError,
    /expected images that decode, got none in "a"$/,
  )
})

t.test('of any kind', async (t) => {
  const close = (found: number[], wanted: number[], within: number, what: string) =>
    t.ok(
      found.every((value, i) => Math.abs(value - wanted[i]) <= within),
      `${what}: ${found}`,
    )
  const formats = { png: 0, webp: 3, jpeg: 3, tiff: 1, gif: 3, avif: 4 } as const
  for (const [format, within] of Object.entries(formats)) {
    close(
      await pixelsOf(
        await plain(red)
          .toFormat(format as 'png')
          .toBuffer(),
      ),
      [200, 20, 10],
      within,
      format,
    )
  }
  t.strictSame(await pixelsOf(await plain(red).png({ palette: true }).toBuffer()), [200, 20, 10])
  t.strictSame(
    await pixelsOf(await plain(red).toColourspace('rgb16').png().toBuffer()),
    [200, 20, 10],
    '16 bits',
  )
  const grey = await halves(2, 1).png().toBuffer()
  t.strictSame(await pixelsOf(grey, { size: [1, 2] }), [0, 0, 0, 255, 255, 255], 'grey')
  t.strictSame(await pixelsOf(redPng, { size: [1, 1], channels: 1 }), [
    Math.round(0.299 * 200 + 0.587 * 20 + 0.114 * 10),
  ])
  t.strictSame(
    await pixelsOf(
      await plain({ ...red, alpha: 0 })
        .png()
        .toBuffer(),
    ),
    [255, 255, 255],
    'transparent',
  )
  close(
    await pixelsOf(
      await plain({ ...red, alpha: 0.5 })
        .png()
        .toBuffer(),
    ),
    [227, 137, 132],
    1,
    'half',
  )
})

t.test('upright, and in shape', async (t) => {
  const turned = (orientation: number) => halves().withMetadata({ orientation }).png().toBuffer()
  const grey = { size: [2, 2], channels: 1 } as const
  const at = async (orientation: number) =>
    (await pixelsOf(await turned(orientation), grey)).map((v) => Number(v > 127))
  t.strictSame(await at(1), [0, 1, 0, 1])
  t.strictSame(await at(3), [1, 0, 1, 0])
  t.strictSame(await at(6), [0, 0, 1, 1])
  t.strictSame(await at(8), [1, 1, 0, 0])
  // torch.nn.functional.interpolate(x, size, mode='bilinear', antialias=True) of 8 columns 0 … 0, 255 … 255
  const picture = await halves().png().toBuffer()
  t.strictSame(await pixelsOf(picture, { size: [1, 4], channels: 1 }), [0, 32, 223, 255])
  t.strictSame(
    await pixelsOf(picture, { size: [4, 4], channels: 1, resize: 'crop' }).then((p) =>
      p.slice(0, 4),
    ),
    [0, 0, 255, 255],
  )
})

t.test('BMP', async (t) => {
  const header = (
    bits: number,
    width: number,
    height: number,
    palette: number[],
    pixels: number[],
    more: number[] = [],
    compression = 0,
  ) => {
    const start = 54 + more.length + palette.length
    const head = Buffer.alloc(54)
    head.write('BM')
    head.writeUInt32LE(start, 10)
    head.writeUInt32LE(40, 14)
    head.writeInt32LE(width, 18)
    head.writeInt32LE(height, 22)
    head.writeUInt16LE(1, 26)
    head.writeUInt16LE(bits, 28)
    head.writeUInt32LE(compression, 30)
    return Buffer.concat([head, Buffer.from(more), Buffer.from(palette), Buffer.from(pixels)])
  }
  const read = (bytes: Uint8Array, height = 1) => pixelsOf(bytes, { size: [height, 2] })
  // Rows from the bottom, blue first, to whole words of 4 bytes.
  const rows = [
    [3, 2, 1, 6, 5, 4, 0, 0],
    [9, 8, 7, 12, 11, 10, 0, 0],
  ].flat()
  t.strictSame(await read(header(24, 2, 2, [], rows), 2), [7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6])
  t.strictSame(await read(header(24, 2, -2, [], rows), 2), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  t.strictSame(await read(header(32, 2, 1, [], [3, 2, 1, 0, 6, 5, 4, 0])), [1, 2, 3, 4, 5, 6])
  const palette = [3, 2, 1, 0, 6, 5, 4, 0]
  t.strictSame(await read(header(8, 2, 1, palette, [1, 0, 0, 0])), [4, 5, 6, 1, 2, 3])
  t.strictSame(await read(header(4, 2, 1, palette, [0x10, 0, 0, 0])), [4, 5, 6, 1, 2, 3])
  t.strictSame(await read(header(1, 2, 1, palette, [0x80, 0, 0, 0])), [4, 5, 6, 1, 2, 3])
  t.strictSame(
    await read(header(8, 2, 1, [1, 1, 1, 0, 2, 2, 2, 0], [1, 0, 0, 0])),
    [2, 2, 2, 1, 1, 1],
    'grey',
  )
  const masks = [0, 0xf8, 0, 0, 0xe0, 7, 0, 0, 0x1f, 0, 0, 0]
  t.strictSame(
    await read(header(16, 2, 1, [], [0x1f, 0xf8, 0xe0, 7], masks, 3)),
    [255, 0, 255, 0, 255, 0],
  )
  const refused: [Buffer, RegExp][] = [
    [header(24, 2, 2, [], rows.slice(1)), /expected 16 bytes of pixels, got 15/],
    [header(8, 2, 1, palette, [2, 0, 0, 0]), /a palette of 3 colours, got one of 2/],
    [header(8, 2, 1, palette, [1, 0, 0, 0], [], 1), /expected no compression, got RLE8/],
    [header(24, 0, 1, [], []), /got 0 x 1/],
    [header(24, 2 ** 31 - 1, 2 ** 31 - 1, [], []), /1 to \d+ pixels/],
    [header(5, 2, 1, [], []), /bits a pixel, got 5/],
    [Buffer.from('BM'), /expected a header, got 2 bytes/],
    [
      header(24, 2, 2, [], rows).fill(0xff, 14, 18),
      /expected a header, got one of 4294967295 bytes/,
    ],
  ]
  for (const [bytes, message] of refused) await rejects(t, read(bytes), DataError, message)
  for (let at = 0; at < 54; at++) {
    const bytes = header(8, 2, 1, palette, [1, 0, 0, 0])
    bytes[at] ^= 0x81
    await pixelsOf(bytes).catch((error) => t.ok(error instanceof DataError, `${at}: ${error}`))
  }
})

t.test('options', async (t) => {
  const folder = t.testdir({})
  write(folder, [
    ['a/1.png', redPng],
    ['a/2.png', redPng],
    ['b/1.png', bluePng],
    ['b/2.png', bluePng],
  ])
  const wrong: [object, RegExp][] = [
    [
      { size: [2] },
      /imageFolder: expected size as \[height, width\], each from 1 to 16384, got \[ ?2 ?\]/,
    ],
    [{ size: [0, 2] }, /expected size/],
    [{ size: [2, 20000] }, /expected size/],
    [{ size: undefined }, /expected size/],
    [{ channels: 4 }, /expected channels 1 \(grey\) or 3 \(colour\), got 4/],
    [{ resize: 'pad' }, /expected resize stretch or crop, got 'pad'/],
    [{ unreadable: 'skip' }, /expected unreadable refuse or drop/],
    [{ onProgress: 1 }, /expected onProgress/],
    [{ chanels: 1 }, /did you mean channels/],
  ]
  for (const [options, message] of wrong)
    await rejects(t, of(folder, options), ArgumentError, message)
  await rejects(t, imageFolder('', { size: [2, 2] }), ArgumentError, /path/)
  await rejects(
    t,
    readImages([], { size: [1, 1] }),
    ArgumentError,
    /paths or bytes of images, got \[\]/,
  )
  await rejects(t, readImages([3 as never], { size: [1, 1] }), ArgumentError, /paths or bytes/)
  await rejects(
    t,
    readImages([redPng.subarray(0, 9)], { size: [1, 1] }),
    DataError,
    /^image 0: expected an intact/,
  )
  const seen: string[] = []
  await of(folder, { onProgress: (read, all) => seen.push(`${read}/${all}`) })
  t.strictSame(seen, ['1/4', '2/4', '3/4', '4/4'])
})

t.test('more than there is memory for is refused unread', async (t) => {
  const folder = t.testdir({ proc: { meminfo: 'MemAvailable:   1024 kB\n' } })
  write(folder, [
    ['set/a/1.png', Buffer.from('none')],
    ['set/b/1.png', Buffer.from('none')],
  ])
  lookForSystemFilesIn(folder)
  t.teardown(() => lookForSystemFilesIn(''))
  const call = imageFolder(join(folder, 'set'), { size: [4096, 4096], testFraction: 0.5 })
  await rejects(
    t,
    call,
    OutOfMemoryError,
    /imageFolder: expected at most .* for 2 images of 4096 x 4096 x 3/,
  )
})

t.test('trains, is saved with its format, and predicts files', async (t) => {
  const folder = t.testdir({})
  const square = async (colour: Colour, i: number) => {
    const inner = await plain(colour, 8 + (i % 5), 8 + (i % 3))
      .png()
      .toBuffer()
    const background = { r: 40 * (i % 6), g: 90, b: 25 * (i % 9) }
    return plain(background, 24, 20)
      .composite([{ input: inner, left: i % 9, top: i % 7 }])
      .png()
      .toBuffer()
  }
  for (let i = 0; i < 24; i++) {
    write(folder, [
      [`set/green/${i}.png`, await square({ r: 20, g: 230, b: 30 }, i)],
      [`set/red/${i}.png`, await square({ r: 230, g: 20, b: 30 }, i)],
    ])
  }
  const { train, test, classes, format } = await imageFolder(join(folder, 'set'), {
    size: [12, 12],
  })
  setSeed(1)
  const model = convnet([12, 12, 3], [4, 8], [classes.length])
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
  await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 12, batchSize: 8 })
  const file = join(folder, 'model.safetensors')
  const architecture = {
    units: [432, 2],
    activation: 'relu',
    convolutions: { image: [12, 12, 3], filters: [4, 8] },
  } as const
  const notes = {
    dataset: 'set',
    seed: 0,
    classes,
    preprocessing: { mean: [0], scale: [1 / 255] },
    images: format,
    loss: 'cross-entropy',
    testAccuracy: 1,
  } as const
  saveClassifier(model, file, architecture, notes)
  const classifier = loadClassifier(file)
  t.strictSame(classifier.images, format)
  const paths = ['green', 'red'].map((name) => join(folder, 'set', name, '3.png'))
  t.strictSame(predict(classifier, await readImages(paths, classifier.images!)).names, [
    'green',
    'red',
  ])
  t.strictSame(
    predict(classifier, test).names,
    Array.from(test.targets, (label) => classes[label]),
  )
  for (const images of [
    { size: [12, 13], channels: 3 },
    { size: [12, 12], channels: 1 },
  ] as const) {
    t.throws(
      () => saveClassifier(model, file, architecture, { ...notes, images }),
      /expected images \{ size, channels, resize \}/,
    )
  }
})

t.test('in blocks: decoded in the first epoch, from the cache in the second', async (t) => {
  const folder = t.testdir({})
  for (const [name, colour] of Object.entries({ blue, red })) {
    for (let i = 0; i < 40; i++) {
      write(folder, [[`set/${name}/${i}.png`, await png({ ...colour, g: i })]])
    }
  }
  const options = { size: [4, 4], testFraction: 0.25 } as const
  const set = join(folder, 'set')
  const { train, test, classes } = await imageBlocks(set, options)
  const whole = await imageFolder(set, options)
  t.strictSame([train.size, test.size, classes], [60, 20, ['blue', 'red']])
  const greens: number[] = []
  const labels: number[] = []
  for await (const { inputs, targets } of train.blocks()) {
    targets.forEach((label, i) => {
      labels.push(label)
      greens.push(inputs[48 * i + 1])
    })
  }
  const pairs = (colours: number[], of: ArrayLike<number>) =>
    colours.map((g, i) => 2 * g + of[i]).sort((a, b) => a - b)
  const wanted = Array.from(whole.train.targets, (_, i) => whole.train.inputs[48 * i + 1])
  t.strictSame(
    pairs(greens, labels),
    pairs(wanted, whole.train.targets),
    'the images of imageFolder',
  )
  t.equal(train.digest, (await imageBlocks(set, options)).train.digest)
  t.not(train.digest, (await imageBlocks(set, { ...options, seed: 1 })).train.digest)

  setSeed(1)
  const model = convnet([4, 4, 3], [4], [2])
  const optimizer = new SGD(model.parameters(), { lr: 0.05 })
  const onEpoch = ({ epoch }: { epoch: number }) => {
    if (epoch === 1) rmSync(set, { recursive: true })
  }
  const { epochs } = await fit(model, train, {
    loss: softmaxCrossEntropy,
    optimizer,
    epochs: 6,
    batchSize: 8,
    onEpoch,
  })
  t.ok(epochs[5].loss < epochs[0].loss / 2, 'no image is read twice')
  await rejects(
    t,
    (async () => {
      for await (const _ of test.blocks());
    })(),
    DataError,
    /png: expected a readable file/,
  )
})

t.test('in blocks, without what does not decode', async (t) => {
  const folder = t.testdir({})
  write(folder, [
    ...(await named({ 'a/1.png': 1, 'a/2.png': 2, 'b/3.png': 3, 'b/4.png': 4 })),
    ['a/0.png', Buffer.from('none')],
  ])
  const options = { size: [2, 2], testFraction: 0.2, seed: 1 } as const
  const reds = async (unreadable: 'refuse' | 'drop') => {
    const { train, test } = await imageBlocks(folder, { ...options, unreadable })
    const found: number[] = []
    for (const part of [train, test]) {
      for await (const { inputs, targets } of part.blocks())
        targets.forEach((_, i) => {
          found.push(inputs[12 * i])
        })
    }
    return found.sort()
  }
  await rejects(t, reds('refuse'), DataError, /0\.png: expected an intact image/)
  const warnings: string[] = []
  const hear = ({ message }: Error) => warnings.push(message)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  t.strictSame(await reds('drop'), [1, 2, 3, 4])
  await new Promise(setImmediate)
  t.match(warnings, [/left out: .*0\.png: expected an intact image/])
})
