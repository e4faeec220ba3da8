/** Servers for tests, and what is asked of them. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Test } from 'tap'

export interface Answered {
  status: number
  headers: Headers
  text: string
  json: any
  floats: number[]
}

/** Posts a body: bytes as such, text as it is, and anything else as JSON. */
export async function post(
  url: string,
  body: unknown,
  type = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json',
): Promise<Answered> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  return ask(url, {
    method: 'POST',
    body: isRaw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body),
    headers: { 'content-type': type },
  })
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answered> {
  const response = await fetch(url, init)
  const { status, headers } = response
  const bytes = await response.arrayBuffer()
  const text = new TextDecoder().decode(bytes)
  const json = headers.get('content-type') === 'application/json' ? JSON.parse(text) : undefined
  const floats = bytes.byteLength % 4 === 0 ? [...new Float32Array(bytes)] : []
  return { status, headers, text, json, floats }
}

export const bytesOf = (values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer)

/** A server of node:http, for the time of a test. @returns its address */
export async function listening(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A connection to a server, which sends this much at first. */
export function connected(url: string, text: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(text)
  // A server that closes it while something is sent is no fault of the test.
  socket.on('error', () => {})
  return socket
}
