/**
 * Event files of TensorBoard: records of TFRecord format, each an Event of its protocol buffers, of which only
 * what scalars and histograms need is written.
 */

import { appendFileSync, mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  return crc
})

/** CRC-32C, masked as TFRecord does, so that no checksum is of checksums. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255]
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Length, its checksum, the data, its checksum; all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(data.length), true)
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true)
  bytes.set(data, 12)
  view.setUint32(12 + data.length, maskedCrc(data), true)
  return bytes
}

/** A field of a protocol buffer: its number, how it is written, and its bytes. */
enum Wire {
  varint = 0,
  double = 1,
  bytes = 2,
  float = 5,
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}

const field = (number: number, wire: Wire, content: Iterable<number>) => [
  ...varint(number * 8 + wire),
  ...content,
]
const whole = (number: number, value: number) => field(number, Wire.varint, varint(value))
const double = (number: number, value: number) =>
  field(number, Wire.double, new Uint8Array(Float64Array.of(value).buffer))
const float = (number: number, value: number) =>
  field(number, Wire.float, new Uint8Array(Float32Array.of(value).buffer))
const message = (number: number, content: ArrayLike<number> & Iterable<number>) =>
  field(number, Wire.bytes, [...varint(content.length), ...content])
const text = (number: number, value: string) => message(number, Buffer.from(value))
const doubles = (number: number, values: readonly number[]) =>
  message(number, new Uint8Array(Float64Array.from(values).buffer))

/** Event: when, at which step, and what. A field that is 0 is left out, as TensorFlow does. */
const event = (step: number, content: number[]) =>
  Uint8Array.from([
    ...double(1, Date.now() / 1000),
    ...(step > 0 ? whole(2, step) : []),
    ...content,
  ])

/** Summary of one value, whose own fields are given. */
const summary = (name: string, value: number[]) =>
  message(5, message(1, [...text(1, name), ...value]))

/** A histogram as TensorBoard reads it: limits of buckets, and how many values are in each. */
function histogramOf(values: ArrayLike<number>, buckets: number): number[] {
  const finite = Array.from(values).filter((value) => Number.isFinite(value))
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const [from, to] = finite.length === 0 ? [0, 0] : [low, high]
  const width = (to - from) / buckets || 1
  const limits = Array.from({ length: buckets }, (_, i) => from + (i + 1) * width)
  const counts = new Array<number>(buckets).fill(0)
  for (const value of finite) counts[Math.min(buckets - 1, Math.floor((value - from) / width))]++
  const sum = (f: (value: number) => number) => finite.reduce((total, value) => total + f(value), 0)
  return [
    ...double(1, from),
    ...double(2, to),
    ...double(3, finite.length),
    ...double(
      4,
      sum((value) => value),
    ),
    ...double(
      5,
      sum((value) => value * value),
    ),
    ...doubles(6, limits),
    ...doubles(7, counts),
  ]
}

/** Writes one event file of a run, in its folder. */
export class EventFile {
  readonly #path: string

  /** Makes the folder, and the file with its first event, the version of the format. */
  constructor(folder: string, suffix = '') {
    mkdirSync(folder, { recursive: true })
    const seconds = Math.floor(Date.now() / 1000)
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}${suffix}`
    this.#path = join(folder, name)
    this.#append(event(0, text(3, 'brain.Event:2')))
  }

  /** One number of a step. */
  scalar(name: string, value: number, step: number): void {
    this.#append(event(step, summary(name, float(2, value))))
  }

  /** How the values of a step are spread over buckets of one width. */
  histogram(name: string, values: ArrayLike<number>, step: number, buckets: number): void {
    this.#append(event(step, summary(name, message(5, histogramOf(values, buckets)))))
  }

  #append(data: Uint8Array): void {
    appendFileSync(this.#path, record(data))
  }
}
