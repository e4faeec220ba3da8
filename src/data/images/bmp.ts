/**
 * Reads BMP, which the decoder of other pictures does not know: 1, 4, 8, 16, 24 or 32 bits a pixel, not compressed.
 * Layout: https://learn.microsoft.com/windows/win32/gdi/bitmap-storage
 */
import { DataError } from '../../base/errors.js'

/** Pixels row by row from the top, as bytes. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
}

const FILE_HEADER = 14
const CORE_HEADER = 12
const INFO_HEADER = 40
/** With the masks of its channels. */
const V3_HEADER = 56
const COMPRESSIONS: Readonly<Record<number, string>> = { 1: 'RLE8', 2: 'RLE4', 4: 'JPEG', 5: 'PNG' }
const BITFIELDS = 3
const ALPHA_BITFIELDS = 6
/** The same limit as that of the decoder of other pictures. */
const MAX_PIXELS = 0x3fff ** 2

interface Header {
  readonly width: number
  readonly height: number
  readonly isTopDown: boolean
  readonly bits: number
  /** Of red, green, blue and alpha; none where a palette has the colours. */
  readonly masks: readonly number[]
  /** [blue, green, red] of each index, and how many bytes apart. */
  readonly palette: { readonly bytes: Uint8Array; readonly step: number }
  /** Where the pixels begin. */
  readonly start: number
}

/** Whether bytes are those of a BMP. */
export function isBmp(bytes: Uint8Array): boolean {
  return bytes[0] === 0x42 && bytes[1] === 0x4d
}

/** The pixels of a BMP: grey where all colours of its palette are. @throws DataError for what is none */
export function readBmp(bytes: Uint8Array): Pixels {
  const header = headerOf(bytes)
  return header.bits <= 8 ? indexed(bytes, header) : direct(bytes, header)
}

function refuse(expected: string, got: string): never {
  throw new DataError(`BMP: expected ${expected}, got ${got}`)
}

function headerOf(bytes: Uint8Array): Header {
  if (bytes.length < FILE_HEADER + CORE_HEADER) refuse('a header', `${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(FILE_HEADER, true)
  const end = FILE_HEADER + size
  const isCore = size === CORE_HEADER
  if ((!isCore && size < INFO_HEADER) || end > bytes.length)
    refuse('a header', `one of ${size} bytes`)
  const [width, rows] = isCore
    ? [view.getUint16(18, true), view.getUint16(20, true)]
    : [view.getInt32(18, true), view.getInt32(22, true)]
  const height = Math.abs(rows)
  if (width < 1 || height < 1 || width * height > MAX_PIXELS) {
    refuse(`1 to ${MAX_PIXELS} pixels`, `${width} x ${height}`)
  }
  const bits = view.getUint16(isCore ? 24 : 28, true)
  if (![1, 4, 8, 16, 24, 32].includes(bits)) refuse('1, 4, 8, 16, 24 or 32 bits a pixel', `${bits}`)
  const compression = isCore ? 0 : view.getUint32(30, true)
  const hasMasks = compression === BITFIELDS || compression === ALPHA_BITFIELDS
  if (compression !== 0 && !(hasMasks && bits >= 16 && bits !== 24)) {
    refuse('no compression', COMPRESSIONS[compression] ?? `compression ${compression}`)
  }
  const start = view.getUint32(10, true)
  const stride = 4 * Math.ceil((width * bits) / 32)
  if (start + stride * height > bytes.length) {
    refuse(`${stride * height} bytes of pixels`, `${Math.max(0, bytes.length - start)}`)
  }
  const step = isCore ? 3 : 4
  return {
    ...{ width, height, isTopDown: rows < 0, bits, start },
    masks: hasMasks ? masksIn(view, size, compression) : (MASKS[bits] ?? []),
    palette: {
      bytes: bytes.subarray(end, Math.min(start, end + step * 2 ** Math.min(bits, 8))),
      step,
    },
  }
}

/** Of what says nothing else. 24 bits have no masks, but their order is that of 32. */
const MASKS: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x03e0, 0x001f, 0],
  24: [0xff0000, 0x00ff00, 0x0000ff, 0],
  32: [0xff0000, 0x00ff00, 0x0000ff, 0],
}

/** In a header of 40 bytes they lie behind it, at the same place. */
function masksIn(view: DataView, size: number, compression: number): number[] {
  const hasAlpha = size >= V3_HEADER || compression === ALPHA_BITFIELDS
  const count = hasAlpha ? 4 : 3
  const first = FILE_HEADER + INFO_HEADER
  if (first + 4 * count > view.byteLength) refuse('masks of the channels', 'the end of the file')
  return Array.from({ length: 4 }, (_, i) => (i < count ? view.getUint32(first + 4 * i, true) : 0))
}

/** Calls `use` with where each row begins in the file, and in the picture. */
function eachRow(
  { width, height, isTopDown, bits, start }: Header,
  use: (from: number, pixel: number) => void,
): void {
  const stride = 4 * Math.ceil((width * bits) / 32)
  for (let row = 0; row < height; row++) {
    use(start + stride * (isTopDown ? row : height - 1 - row), row * width)
  }
}

function indexed(bytes: Uint8Array, header: Header): Pixels {
  const { width, height, bits, palette } = header
  const colours = Math.floor(palette.bytes.length / palette.step)
  const at = (index: number, channel: number) => palette.bytes[palette.step * index + 2 - channel]
  const isGrey = (i: number) => at(i, 0) === at(i, 1) && at(i, 1) === at(i, 2)
  const channels = Array.from({ length: colours }, (_, i) => i).every(isGrey) ? 1 : 3
  const data = new Uint8Array(width * height * channels)
  eachRow(header, (from, pixel) => {
    for (let column = 0; column < width; column++) {
      const bit = bits * column
      const index = (bytes[from + (bit >> 3)] >> (8 - bits - (bit & 7))) & (2 ** bits - 1)
      if (index >= colours) refuse(`a palette of ${index + 1} colours`, `one of ${colours}`)
      for (let c = 0; c < channels; c++) data[(pixel + column) * channels + c] = at(index, c)
    }
  })
  return { data, width, height, channels }
}

function direct(bytes: Uint8Array, header: Header): Pixels {
  const { width, height, bits, masks } = header
  const channels = masks[3] === 0 ? 3 : 4
  const read = masks.slice(0, channels).map(levelOf)
  const data = new Uint8Array(width * height * channels)
  eachRow(header, (from, pixel) => {
    for (let column = 0; column < width; column++) {
      let value = 0
      for (let i = 0; i < bits / 8; i++) value |= bytes[from + (bits / 8) * column + i] << (8 * i)
      for (let c = 0; c < channels; c++) data[(pixel + column) * channels + c] = read[c](value)
    }
  })
  return { data, width, height, channels }
}

/** A function that reads the level of a channel, from 0 to 255, out of a pixel's value. */
function levelOf(mask: number): (value: number) => number {
  if (mask === 0) return () => 0
  const shift = 31 - Math.clz32(mask & -mask)
  const most = mask >>> shift
  return (value) => Math.round((255 * ((value & mask) >>> shift)) / most)
}
