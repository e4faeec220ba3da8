/**
 * Decodes an image before it returns, as tfjs-node does, by a decoder that is asynchronous: it runs in a thread of its
 * own, for which this one waits.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { DataError, MissingPackageError, NeuroblasError } from '../../index.js'
import { resolvePackage } from '../../internal.js'

/** How a file is to be read. */
export interface Request {
  readonly bytes: Uint8Array
  /** All pictures of one that moves. */
  readonly animated: boolean
  /** What a file that ends too early gives: an error, or what there is. */
  readonly failOn: 'none' | 'error'
  /** That height and width are divided by. */
  readonly ratio: number
}

/** Pictures one below the other. */
export interface Decoded {
  /** [pages, height, width, channels] */
  readonly data: Uint8Array
  /** 3 or, with alpha, 4 of them. */
  readonly shape: readonly [pages: number, height: number, width: number, channels: number]
  /** Whether the file itself is grey. */
  readonly isGrey: boolean
}

// A text, as the bundle has no other file that a thread could begin with.
const PROGRAM = `
const { workerData: { path, port, done } } = require('node:worker_threads')
async function decode({ bytes, animated, failOn, ratio }) {
  const sharp = require(path)
  const options = { animated, failOn, ignoreIcc: true }
  const { width, height, pageHeight = height, channels, hasAlpha } = await sharp(bytes, options).metadata()
  const size = { width: Math.ceil(width / ratio), height: Math.ceil(pageHeight / ratio), fit: 'fill' }
  const image = ratio > 1 ? sharp(bytes, options).resize(size) : sharp(bytes, options)
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const pages = Math.max(1, Math.round(info.height / size.height))
  return {
    data: Uint8Array.from(data),
    shape: [pages, info.height / pages, info.width, info.channels],
    isGrey: channels - Number(hasAlpha) === 1,
  }
}
port.on('message', async (request) => {
  try {
    port.postMessage({ decoded: await decode(request) })
  } catch (error) {
    port.postMessage({ error: error.message.split('\\n')[0] })
  }
  Atomics.store(done, 0, 1)
  Atomics.notify(done, 0)
})
`

/** No image takes that long; a thread that the system has ended would never answer. */
const LONGEST_WAIT = 300_000

/** The thread, begun with the first image; it does not keep the process alive. */
class Decoder {
  readonly #port: MessagePort
  readonly #done = new Int32Array(new SharedArrayBuffer(4))

  constructor(path: string) {
    const { port1, port2 } = new MessageChannel()
    const workerData = { path, port: port2, done: this.#done }
    const worker = new Worker(PROGRAM, { eval: true, workerData, transferList: [port2] })
    worker.unref()
    this.#port = port1
    port1.unref()
  }

  ask(request: Request): { decoded?: Decoded; error?: string } {
    Atomics.store(this.#done, 0, 0)
    this.#port.postMessage(request)
    const ended = Atomics.wait(this.#done, 0, 0, LONGEST_WAIT)
    const answer = receiveMessageOnPort(this.#port)?.message
    if (answer !== undefined) return answer
    throw new NeuroblasError(`decodeImage: expected an answer of the decoder, got none (${ended})`)
  }
}

let decoder: Decoder | undefined

/**
 * Decodes an image.
 * @throws DataError when it does not decode, MissingPackageError without sharp
 */
export function decodeSync(op: string, request: Request): Decoded {
  const path = resolvePackage('sharp')
  if (path === undefined) {
    throw new MissingPackageError(
      `${op}: expected the npm package sharp, got none; \`npm install sharp\``,
    )
  }
  decoder ??= new Decoder(path)
  const { decoded, error } = decoder.ask(request)
  if (decoded !== undefined) return decoded
  throw new DataError(`${op}: expected an intact image, got "${error}"`)
}
