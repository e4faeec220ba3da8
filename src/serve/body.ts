/** Bodies of requests, as bytes. */
import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.js'

/**
 * Hands on the body of a request, or why there is none; of a client that goes away, nothing.
 * @param maxBytes the longest that is kept; what is longer is refused as soon as that is known
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer) => void,
  refuse: (error: Refusal) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  const add = (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) tooLong(size)
    else chunks.push(chunk)
  }
  const end = () => done(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  const tooLong = (length: number) => {
    request.off('data', add).off('end', end)
    refuse(new Refusal(413, `expected a body of at most ${maxBytes} bytes, got ${length} or more`))
  }
  request.on('data', add).on('end', end)
  const declared = Number(request.headers['content-length'])
  if (declared > maxBytes) tooLong(declared)
}
