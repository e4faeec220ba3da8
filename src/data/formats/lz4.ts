/**
 * Decodes what LZ4 has packed into a frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), as Arrow's
 * files are compressed. Its checksums are not computed.
 */
const MAGIC = 0x184d2204
/** In the frame's first byte. */
const [VERSION, BLOCK_CHECKSUM, CONTENT_SIZE, DICTIONARY] = [0xc0, 0x10, 0x08, 0x01]
/** Of a block's size: it is not compressed. */
const PLAIN = 2 ** 31
/** A match has at least so many bytes. */
const SHORTEST = 4

/** @throws Error, which names no file, for bytes that are no such frame or end within it */
export function decodeLz4(frame: Uint8Array): Uint8Array {
  const input = new Input(frame)
  if (input.number() !== MAGIC) throw malformed()
  const flags = input.byte()
  if ((flags & VERSION) !== 0x40 || (flags & DICTIONARY) !== 0) throw malformed()
  // The largest size of a block, the size of the content, and a checksum of these.
  input.take(1 + (flags & CONTENT_SIZE ? 8 : 0) + 1)
  const output = new Output(4 * frame.length)
  for (let size = input.number(); size !== 0; size = input.number()) {
    const block = input.take(size % PLAIN)
    if (size >= PLAIN) output.add(block)
    else decodeBlock(new Input(block), output)
    if (flags & BLOCK_CHECKSUM) input.take(4)
  }
  return output.bytes
}

/** Sequences of bytes as they are, and of a match: bytes that came before. */
function decodeBlock(input: Input, output: Output): void {
  while (!input.isDone) {
    const token = input.byte()
    output.add(input.take(lengthOf(token >> 4, input)))
    // The last sequence has no match.
    if (input.isDone) return
    const offset = input.byte() | (input.byte() << 8)
    output.repeat(offset, lengthOf(token & 15, input) + SHORTEST)
  }
}

/** 15 and more go on in further bytes, up to one below 255. */
function lengthOf(short: number, input: Input): number {
  let length = short
  if (short === 15) {
    let more = 255
    for (; more === 255; length += more) more = input.byte()
  }
  return length
}

class Input {
  #at = 0

  constructor(readonly bytes: Uint8Array) {}

  get isDone(): boolean {
    return this.#at === this.bytes.length
  }

  take(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.bytes.length) throw malformed()
    const taken = this.bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  byte(): number {
    return this.take(1)[0]
  }

  /** Of 32 bits. */
  number(): number {
    const [a, b, c, d] = this.take(4)
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
  }
}

class Output {
  #room: Uint8Array
  #length = 0

  constructor(expected: number) {
    this.#room = new Uint8Array(expected)
  }

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length)
  }

  add(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#room.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Copies bytes that came so far before; those that it copies itself are among them. */
  repeat(offset: number, length: number): void {
    if (offset === 0 || offset > this.#length) throw malformed()
    this.#reserve(length)
    for (let left = length; left > 0; ) {
      const from = this.#length - offset
      const count = Math.min(left, offset)
      this.#room.copyWithin(this.#length, from, from + count)
      this.#length += count
      left -= count
    }
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#room.length) return
    const larger = new Uint8Array(2 * (this.#length + more))
    larger.set(this.bytes)
    this.#room = larger
  }
}

function malformed(): Error {
  return new Error('bytes that are no frame of LZ4')
}
