/**
 * The text of a file or a stream, piece by piece: unzipped where it is gzip, decoded, and refused where
 * it is no text. What the text says is not read here.
 */
import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { ArgumentError, DataError } from '../../base/errors.js'
import { quote } from '../../base/text.js'

/** The path of a file, or its bytes as a stream such as `process.stdin` gives them. */
export type ByteSource = string | AsyncIterable<Uint8Array>

/**
 * The text of a source. A byte order mark says how it is encoded; without one it is `encoding`.
 * @param name what the errors call the source
 * @param encoding a label that TextDecoder knows, such as latin1 or utf-16le; utf-8 by default
 * @throws DataError when the source cannot be read, its gzip is damaged or its bytes are no such text
 */
export async function* readText(
  source: ByteSource,
  name: string,
  encoding?: string,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined
  for await (const bytes of unzipped(source, name)) {
    decoder ??= decoderFor(bytes, encoding)
    yield decode(decoder, bytes, true, name)
  }
  if (decoder) yield decode(decoder, new Uint8Array(), false, name)
}

/** The bytes of a source, unzipped where its first two say so; the first piece has 3 bytes if there are. */
async function* unzipped(source: ByteSource, name: string): AsyncGenerator<Uint8Array> {
  const bytes = filledFirst(
    typeof source === 'string' ? createReadStream(source, { highWaterMark: PIECE }) : source,
  )
  try {
    const { value: first, done } = await bytes.next()
    if (done) return
    const whole = (async function* () {
      yield first
      yield* bytes
    })()
    const isGzip = first[0] === 0x1f && first[1] === 0x8b
    yield* isGzip ? filledFirst(pipeline(Readable.from(whole), createGunzip(), () => {})) : whole
  } catch (error) {
    throw readingError(error, name)
  }
}

/** The same bytes; none is in a first piece that is too short for a byte order mark. */
async function* filledFirst(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let first: Uint8Array | undefined = new Uint8Array()
  for await (const piece of bytes) {
    if (first === undefined) {
      yield piece
      continue
    }
    first = Buffer.concat([first, piece])
    if (first.length < 3) continue
    yield first
    first = undefined
  }
  if (first !== undefined && first.length > 0) yield first
}

function readingError(error: unknown, name: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined || error instanceof DataError) return error
  const isGzip = code.startsWith('Z_')
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EISDIR: 'a folder',
    EACCES: 'no right to open it',
  }
  return new DataError(
    isGzip
      ? `${name}: expected intact gzip data, got "${message}"`
      : `${name}: expected a readable file, got ${reasons[code] ?? message}`,
    { cause: error },
  )
}

/** Bytes that are read at a time: csv-parse takes a millisecond for them. */
const PIECE = 2 ** 14

const MARKS: readonly [readonly number[], string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

function decoderFor(head: Uint8Array, encoding = 'utf-8'): TextDecoder {
  const marked = MARKS.find(([mark]) => mark.every((byte, i) => head[i] === byte))
  try {
    return new TextDecoder(marked?.[1] ?? encoding, { fatal: true })
  } catch {
    throw new ArgumentError(
      `table: expected an encoding such as utf-8, utf-16le or latin1, got ${encoding}`,
    )
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array, stream: boolean, name: string): string {
  const { encoding } = decoder
  let text: string
  try {
    text = decoder.decode(bytes, { stream })
  } catch (error) {
    const shown = new TextDecoder(encoding).decode(bytes)
    const at = Math.max(0, shown.indexOf('\uFFFD'))
    const near = shown.slice(Math.max(0, at - 20), at + 10)
    throw new DataError(
      `${name}: expected text in ${encoding}, got other bytes near ${quote(near)}; name the encoding, such as latin1`,
      { cause: error },
    )
  }
  if (!text.includes('\0')) return text
  throw new DataError(
    `${name}: expected text in ${encoding}, got zero bytes: a file of another kind, or UTF-16, which is to be named (utf-16le)`,
  )
}
