/** `tf.node`'s images: values of the decoders, channels as TensorFlow gives them, and what is refused. */
import sharp from 'sharp'
import t from 'tap'
import * as tf from '../../lib/frontends/tfjsNode/index.js'
import { ArgumentError, DataError } from '../../lib/index.js'
import { rejects } from '../support/engine.js'

const { node } = tf
t.before(() => tf.setBackend('neuroblas'))

/** 3 rows of 4 pixels. */
const pixels = Uint8Array.from({ length: 36 }, (_, i) => (i * 37) % 256)
const rgb = sharp(pixels, { raw: { width: 4, height: 3, channels: 3 } })
const grey = sharp(pixels.subarray(0, 12), {
  raw: { width: 4, height: 3, channels: 1 },
}).toColourspace('b-w')
const rgba = sharp(
  Uint8Array.from({ length: 48 }, (_, i) => (i * 29) % 256),
  { raw: { width: 4, height: 3, channels: 4 } },
)
const [png, greyPng, rgbaPng] = await Promise.all(
  [rgb, grey, rgba].map((image) => image.clone().png().toBuffer()),
)
const values = (x: tf.Tensor) => Array.from(x.dataSync())
const luma = (x: ArrayLike<number>, step = 3) =>
  Array.from({ length: x.length / step }, (_, i) =>
    Math.round(0.299 * x[step * i] + 0.587 * x[step * i + 1] + 0.114 * x[step * i + 2]),
  )

t.test('PNG', (t) => {
  const x = node.decodePng(png)
  t.strictSame([x.shape, x.dtype], [[3, 4, 3], 'int32'])
  t.strictSame(values(x), [...pixels])
  t.strictSame(values(node.decodeImage(png, 1)), luma(pixels))
  t.strictSame(node.decodePng(greyPng).shape, [3, 4, 1])
  t.strictSame(values(node.decodePng(greyPng)), [...pixels.subarray(0, 12)])
  t.strictSame(
    values(node.decodePng(greyPng, 3)),
    [...pixels.subarray(0, 12)].flatMap((v) => [v, v, v]),
  )
  t.strictSame(
    values(node.decodePng(greyPng, 2)),
    [...pixels.subarray(0, 12)].flatMap((v) => [v, 255]),
  )
  const four = node.decodePng(rgbaPng)
  t.strictSame(
    values(four),
    Array.from({ length: 48 }, (_, i) => (i * 29) % 256),
  )
  t.strictSame(
    values(node.decodePng(rgbaPng, 3)),
    values(four).filter((_, i) => i % 4 < 3),
    'alpha is left out',
  )
  t.strictSame(values(node.decodePng(rgbaPng, 1)), luma(values(four), 4))
  t.strictSame(
    values(node.decodePng(png, 4)).filter((_, i) => i % 4 === 3),
    new Array(12).fill(255),
  )
  t.end()
})

t.test('JPEG', async (t) => {
  const smooth = sharp({ create: { width: 40, height: 24, channels: 3, background: '#c86432' } })
  const jpeg = await smooth.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()
  const x = node.decodeJpeg(jpeg)
  t.strictSame(x.shape, [24, 40, 3], 'not turned')
  t.strictSame(values(x).slice(0, 3), [200, 100, 50])
  t.strictSame(node.decodeImage(jpeg, 1).shape, [24, 40, 1])
  t.strictSame(node.decodeJpeg(jpeg, 3, 4).shape, [6, 10, 3])
  const noise = sharp({
    create: {
      width: 90,
      height: 90,
      channels: 3,
      background: 'red',
      noise: { type: 'gaussian', mean: 128, sigma: 50 },
    },
  })
  const cut = (await noise.jpeg().toBuffer()).subarray(0, 2000)
  t.throws(() => node.decodeJpeg(cut), DataError)
  t.strictSame(node.decodeJpeg(cut, 0, 1, true, true).shape, [90, 90, 3])
})

t.test('GIF: all of its pictures, or the first', async (t) => {
  const stacked = new Uint8Array(2 * 3 * 4 * 3).fill(255, 36)
  const gif = await sharp(stacked, { raw: { width: 4, height: 6, channels: 3, pageHeight: 3 } })
    .gif()
    .toBuffer()
  const all = node.decodeGif(gif)
  t.strictSame(all.shape, [2, 3, 4, 3])
  t.strictSame(values(all), [...stacked])
  t.strictSame(node.decodeImage(gif).shape, [2, 3, 4, 3])
  t.strictSame(node.decodeImage(gif, 3, 'int32', false).shape, [3, 4, 3])
})

t.test('BMP', (t) => {
  const head = Buffer.alloc(54)
  head.write('BM')
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, 2],
    [22, 1],
    [26, 1 + (24 << 16)],
  ])
    head.writeUInt32LE(value, at)
  const bmp = Buffer.concat([head, Buffer.from([3, 2, 1, 6, 5, 4, 0, 0])])
  t.strictSame(values(node.decodeBmp(bmp)), [1, 2, 3, 4, 5, 6])
  t.strictSame(node.decodeImage(bmp, 4).shape, [1, 2, 4])
  t.end()
})

t.test('encoded and back', async (t) => {
  const x = tf.tensor3d([...pixels], [3, 4, 3], 'int32')
  t.strictSame(values(node.decodePng(await node.encodePng(x))), [...pixels])
  const four = tf.concat([x, tf.fill([3, 4, 1], 9, 'int32')], 2) as tf.Tensor3D
  t.strictSame(values(node.decodePng(await node.encodePng(four, 9))), values(four))
  const jpeg = await node.encodeJpeg(
    x,
    'rgb',
    100,
    true,
    true,
    false,
    'cm',
    100,
    100,
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
  )
  const { density, isProgressive, chromaSubsampling, xmpAsString } = await sharp(jpeg).metadata()
  t.match(
    { density, isProgressive, chromaSubsampling },
    { density: 254, isProgressive: true, chromaSubsampling: '4:4:4' },
  )
  t.match(xmpAsString, /xmpmeta/)
  const found = values(node.decodeJpeg(jpeg))
  t.ok(
    found.every((value, i) => Math.abs(value - pixels[i]) < 12),
    `${found}`,
  )
  const one = tf.tensor3d([...pixels.subarray(0, 12)], [3, 4, 1], 'int32')
  t.strictSame(node.decodeJpeg(await node.encodeJpeg(one)).shape, [3, 4, 1])
})

t.test('mistakes', async (t) => {
  const x = tf.tensor3d([...pixels], [3, 4, 3], 'int32')
  const wrong: [() => unknown, new (...args: any[]) => Error, RegExp][] = [
    [
      () => node.decodeImage('cat.jpg' as never),
      ArgumentError,
      /decodeImage: expected the bytes of an image/,
    ],
    [() => node.decodeImage(new Uint8Array(20)), ArgumentError, /expected a BMP, JPEG, PNG or GIF/],
    [() => node.decodeJpeg(png), ArgumentError, /decodeJpeg: expected a JPEG, got a PNG/],
    [() => node.decodePng(png, 5), ArgumentError, /channels of 0, 1, 2, 3, 4, got 5/],
    [() => node.decodePng(png.subarray(0, 40)), DataError, /decodePng: expected an intact image/],
    [
      () => node.encodePng(tf.ones([2, 2]) as never),
      ArgumentError,
      /\[height, width, channels\] .* got \[2,2\]/,
    ],
    [() => node.encodePng(x, 10), ArgumentError, /encodePng: .*compressionLevel/],
    [() => node.encodeJpeg(x, 'grayscale'), ArgumentError, /of 1 channels, got \[3,4,3\]/],
    [() => node.encodeJpeg(x, '', 0), ArgumentError, /encodeJpeg: .*quality/],
    [
      () => node.encodeJpeg(x, '', 95, false, false, true, 'in', 1, 2),
      ArgumentError,
      /yDensity of 1, got 2/,
    ],
  ]
  for (const [call, kind, message] of wrong) await rejects(t, (async () => call())(), kind, message)
})
