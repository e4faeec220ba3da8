/** `tf.node`'s images: decoded and encoded by sharp, with the signatures of tfjs-node. */
import { type Tensor3D, type Tensor4D, tensor3d, tensor4d } from '@tensorflow/tfjs'
import type Sharp from 'sharp'
import { ArgumentError } from '../../index.js'
import { excerpt, isBmp, kindOfTypedArray, loadPackages, readBmp, toGrey } from '../../internal.js'
import { type Decoded, decodeSync, type Request } from './decodeSync.js'

const KINDS: readonly [kind: 'jpeg' | 'png' | 'gif', head: readonly number[]][] = [
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['png', [0x89, 0x50, 0x4e, 0x47]],
  ['gif', [0x47, 0x49, 0x46, 0x38]],
]
const PLAIN: Omit<Request, 'bytes'> = { animated: false, failOn: 'error', ratio: 1 }

function kindOf(op: string, contents: Uint8Array): 'jpeg' | 'png' | 'gif' | 'bmp' {
  if (kindOfTypedArray(contents) !== 'Uint8Array') {
    throw new ArgumentError(`${op}: expected the bytes of an image, got ${excerpt(contents)}`)
  }
  const found = KINDS.find(([, head]) => head.every((byte, i) => contents[i] === byte))
  if (found !== undefined) return found[0]
  if (isBmp(contents)) return 'bmp'
  throw new ArgumentError(`${op}: expected a BMP, JPEG, PNG or GIF, got other bytes`)
}

function checkKind(op: string, contents: Uint8Array, wanted: string): void {
  const kind = kindOf(op, contents)
  if (kind === wanted) return
  throw new ArgumentError(`${op}: expected a ${wanted.toUpperCase()}, got a ${kind.toUpperCase()}`)
}

function checkOf(op: string, name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return
  throw new ArgumentError(`${op}: expected ${name} of ${known.join(', ')}, got ${excerpt(value)}`)
}

/** With so many channels; 0 for those of the file. */
function withChannels({ data, shape, isGrey }: Decoded, asked: number): Decoded {
  const [pages, height, width, from] = shape
  const own = (isGrey ? 1 : 3) + (from - 3)
  const to = asked === 0 ? own : asked
  if (to === from) return { data, shape, isGrey }
  const pixels = pages * height * width
  const hasAlpha = to === 2 || to === 4
  const rgb = picked(data, from, 3, pixels)
  const grey = new Uint8Array(pixels)
  if (to < 3) toGrey(rgb, grey)
  const colours = to < 3 ? grey : rgb
  const count = to < 3 ? 1 : 3
  const out = hasAlpha ? new Uint8Array(pixels * to).fill(255) : colours
  for (let i = 0; hasAlpha && i < pixels; i++) {
    for (let c = 0; c < count; c++) out[i * to + c] = colours[i * count + c]
    if (from === 4) out[i * to + count] = data[4 * i + 3]
  }
  return { data: out, shape: [pages, height, width, to], isGrey }
}

/** The first channels of each pixel. */
function picked(data: Uint8Array, from: number, to: number, pixels: number): Uint8Array {
  if (from === to) return data
  const out = new Uint8Array(pixels * to)
  for (let i = 0; i < pixels; i++) out.set(data.subarray(i * from, i * from + to), i * to)
  return out
}

function single(decoded: Decoded, channels: number): Tensor3D {
  const { data, shape } = withChannels(decoded, channels)
  const [, height, width, depth] = shape
  const first = data.subarray(0, height * width * depth)
  return tensor3d(Int32Array.from(first), [height, width, depth], 'int32')
}

/**
 * Decodes a JPEG to [height, width, channels] of int32 from 0 to 255. As in TensorFlow, EXIF turns nothing. Waits for
 * the decoder, which is in another thread.
 * @param channels 0 for those of the file, 1 for grey, 3 for red, green and blue
 * @param ratio 1, 2, 4 or 8, that height and width are divided by
 * @param _fancyUpscaling always done
 * @param tryRecoverTruncated gives what there is of a file that ends too early
 * @throws DataError when it does not decode, ArgumentError, MissingPackageError without sharp
 */
export function decodeJpeg(
  contents: Uint8Array,
  channels = 0,
  ratio = 1,
  _fancyUpscaling = true,
  tryRecoverTruncated = false,
  _acceptableFraction = 1,
  _dctMethod = '',
): Tensor3D {
  const op = 'decodeJpeg'
  checkKind(op, contents, 'jpeg')
  checkOf(op, 'channels', channels, [0, 1, 3])
  checkOf(op, 'ratio', ratio, [1, 2, 4, 8])
  const failOn = tryRecoverTruncated ? 'none' : 'error'
  return single(decodeSync(op, { ...PLAIN, bytes: contents, failOn, ratio }), channels)
}

/**
 * Decodes a PNG, of 16 bits to 8, as `decodeJpeg`.
 * @param channels 0 for those of the file, 1, 2 (grey and alpha), 3 or 4
 */
export function decodePng(contents: Uint8Array, channels = 0, dtype = 'int32'): Tensor3D {
  const op = 'decodePng'
  checkKind(op, contents, 'png')
  checkOf(op, 'channels', channels, [0, 1, 2, 3, 4])
  checkOf(op, 'dtype', dtype, ['int32'])
  return single(decodeSync(op, { ...PLAIN, bytes: contents }), channels)
}

/** Decodes a BMP, as `decodePng`; without sharp. */
export function decodeBmp(contents: Uint8Array, channels = 0): Tensor3D {
  const op = 'decodeBmp'
  checkKind(op, contents, 'bmp')
  checkOf(op, 'channels', channels, [0, 1, 3, 4])
  const { data, width, height, channels: own } = readBmp(contents)
  const isGrey = own === 1
  // In red, green and blue, as the decoder of the others has it.
  const colours = isGrey
    ? Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)])
    : data
  return single({ data: colours, shape: [1, height, width, isGrey ? 3 : own], isGrey }, channels)
}

/** Decodes a GIF to [pictures, height, width, 3] of int32, as `decodeJpeg`. */
export function decodeGif(contents: Uint8Array): Tensor4D {
  const op = 'decodeGif'
  checkKind(op, contents, 'gif')
  const { data, shape } = withChannels(
    { ...decodeSync(op, { ...PLAIN, bytes: contents, animated: true }), isGrey: false },
    3,
  )
  return tensor4d(Int32Array.from(data), [...shape], 'int32')
}

/**
 * Decodes a BMP, JPEG, PNG or GIF, as the function of its name does.
 * @param expandAnimations whether a GIF gives all of its pictures [pictures, height, width, 3], or the first
 * @example const picture = tf.node.decodeImage(readFileSync('cat.jpg'), 3)
 */
export function decodeImage(
  contents: Uint8Array,
  channels = 0,
  dtype = 'int32',
  expandAnimations = true,
): Tensor3D | Tensor4D {
  const op = 'decodeImage'
  checkOf(op, 'dtype', dtype, ['int32'])
  checkOf(op, 'channels', channels, [0, 1, 3, 4])
  const kind = kindOf(op, contents)
  if (kind === 'jpeg') return decodeJpeg(contents, channels)
  if (kind === 'png') return decodePng(contents, channels)
  if (kind === 'bmp') return decodeBmp(contents, channels)
  if (expandAnimations) return decodeGif(contents)
  return single({ ...decodeSync(op, { ...PLAIN, bytes: contents }), isGrey: false }, 3)
}

async function encoder(op: string, image: Tensor3D, depths: readonly number[]) {
  const [height, width, channels] = image?.shape ?? []
  if (image?.shape?.length !== 3 || !depths.includes(channels)) {
    const given = Array.isArray(image?.shape) ? `[${image.shape}]` : excerpt(image)
    throw new ArgumentError(
      `${op}: expected an image [height, width, channels] of ${depths.join(', ')} channels, got ${given}`,
    )
  }
  const pixels = Uint8Array.from(await image.data())
  const [{ default: sharp }] = await loadPackages<[{ default: typeof Sharp }]>(op, 'sharp')
  const raw = { width, height, channels: channels as 1 | 2 | 3 | 4 }
  return sharp(pixels, { raw }).toColourspace(channels < 3 ? 'b-w' : 'srgb')
}

/**
 * Encodes an image [height, width, channels] from 0 to 255 as JPEG.
 * @param format '' for what the channels say, `grayscale` of 1 channel or `rgb` of 3
 * @param quality 1 to 100
 * @param optimizeSize looks longer for a shorter code
 * @param chromaDownsampling halves the size of what tells colours
 * @param densityUnit `in` or `cm`, that the densities are pixels of; both are the same
 * @throws ArgumentError for other images and settings, MissingPackageError without sharp
 */
export async function encodeJpeg(
  image: Tensor3D,
  format: '' | 'grayscale' | 'rgb' = '',
  quality = 95,
  progressive = false,
  optimizeSize = false,
  chromaDownsampling = true,
  densityUnit: 'in' | 'cm' = 'in',
  xDensity = 300,
  yDensity = 300,
  xmpMetadata = '',
): Promise<Uint8Array> {
  const op = 'encodeJpeg'
  const depths = { '': [1, 3], grayscale: [1], rgb: [3] }
  checkOf(op, 'format', format, Object.keys(depths))
  checkOf(op, 'densityUnit', densityUnit, ['in', 'cm'])
  checkOf(op, 'yDensity', yDensity, [xDensity])
  const picture = (await encoder(op, image, depths[format])).withDensity(
    densityUnit === 'cm' ? 2.54 * xDensity : xDensity,
  )
  if (xmpMetadata !== '') picture.withXmp(xmpMetadata)
  const chromaSubsampling = chromaDownsampling ? '4:2:0' : '4:4:4'
  const options = { quality, progressive, optimiseCoding: optimizeSize, chromaSubsampling }
  return encoded(op, () => picture.jpeg(options).toBuffer())
}

/**
 * Encodes an image [height, width, channels] from 0 to 255, of 1 to 4 channels, as PNG.
 * @param compression 0 to 9
 * @throws ArgumentError for other images and settings, MissingPackageError without sharp
 */
export async function encodePng(image: Tensor3D, compression = 1): Promise<Uint8Array> {
  const op = 'encodePng'
  const picture = await encoder(op, image, [1, 2, 3, 4])
  return encoded(op, () => picture.png({ compressionLevel: compression }).toBuffer())
}

/** Settings out of range are told by the encoder. */
async function encoded(op: string, encode: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return Uint8Array.from(await encode())
  } catch (error) {
    throw new ArgumentError(`${op}: ${(error as Error).message}`, { cause: error })
  }
}
