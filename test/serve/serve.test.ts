/** A server of its own: what it answers where, its limits, how it stops, and what newer files do to it. */
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ArgumentError, DataError, mlp, saveMlp } from '../../lib/index.js'
import { readModelFile, writeModelFile } from '../../lib/io/modelFile.js'
import { type ServeOptions, serve } from '../../lib/serve/index.js'
import { rejects } from '../support/engine.js'
import { ask, bytesOf, connected, post } from '../support/http.js'
import { saveConstant as save } from '../support/servedModel.js'

async function started(t: Test, path: string, options: ServeOptions = {}) {
  const server = await serve(path, { port: 0, ...options })
  t.teardown(() => server.close())
  return server
}

const nameOf = async (url: string) =>
  (await post(`${url}/predict`, { inputs: [1, 2] })).json.predictions[0].name

t.test('pages', async (t) => {
  const path = join(t.testdir(), 'model')
  save(path, 1)
  const { url } = await started(t, path)
  t.equal(await nameOf(url), 'b')
  t.equal((await ask(`${url}/healthz`)).text, 'ok')
  const metrics = await ask(`${url}/metrics?x=1`)
  t.match(metrics.headers.get('content-type'), /^text\/plain; version=0.0.4/)
  t.match(metrics.text, /^neuroblas_requests_total\{status="200"\} 1$/m)
  t.match(metrics.text, /^neuroblas_model_version 1$/m)
  t.match((await ask(`${url}/model`)).json, {
    file: path,
    answers: 'classes',
    inputShape: [2],
    classes: ['a', 'b', 'c'],
    scores: 'probabilities',
    loss: 'cross-entropy',
    version: 1,
    loaded: /^\d{4}-/,
  })
  t.equal((await ask(`${url}/none`)).status, 404)
  const wrong = await post(`${url}/model`, {})
  t.equal(wrong.status, 405)
  t.equal(wrong.headers.get('allow'), 'GET, HEAD')
  t.equal((await ask(`${url}/predict`)).headers.get('allow'), 'POST')
})

t.test('a newer file answers, a worse one does not', async (t) => {
  const folder = t.testdir()
  const [path, next] = [join(folder, 'model'), join(folder, 'next')]
  save(path, 0)
  let heard = (_?: Error) => {}
  const event = () =>
    new Promise<Error | undefined>((resolve) => {
      heard = resolve
    })
  const server = await started(t, path, { onReload: (error) => heard(error) })
  const { url } = server
  t.equal(await nameOf(url), 'a')

  // Somebody asks all the time; nobody must be lost.
  let isOver = false
  const statuses = new Set<number>()
  const client = (async () => {
    while (!isOver) statuses.add((await post(`${url}/predict`, { inputs: [1, 2] })).status)
  })()
  const change = async (write: () => void) => {
    const heardOf = event()
    write()
    return heardOf
  }
  const renamed = () => {
    save(next, 2)
    renameSync(next, path)
  }
  t.equal(await change(renamed), undefined)
  t.equal(await nameOf(url), 'c')
  t.equal(server.info().version, 2)
  t.match(await change(() => writeFileSync(path, 'no model')), DataError)
  t.match(await change(() => save(path, 0, ['a', 'b', 'd'])), {
    message: /expected classes as before, \[ ?'a', 'b', 'c' ?\], got \[ ?'a', 'b', 'd' ?\]/,
  })
  t.equal(await nameOf(url), 'c', 'the old one goes on')
  t.equal(await change(() => save(path, 1)), undefined)
  t.equal(await nameOf(url), 'b')
  isOver = true
  await client
  t.strictSame([...statuses], [200])
  t.match(server.metrics(), /reloads_total\{result="ok"\} 2\n.*\{result="failed"\} 2\n/)
})

t.test('a set of files, and a newer one', async (t) => {
  const folder = t.testdir()
  const [single, path] = [join(folder, 'single'), join(folder, 'model.safetensors')]
  const saveSet = (label: number) => {
    save(single, label)
    const { tensors, metadata } = readModelFile(single)
    writeModelFile(path, [...tensors], metadata, 20)
  }
  saveSet(0)
  let heard = (_?: Error) => {}
  const { url } = await started(t, folder, { onReload: (error) => heard(error) })
  t.equal(await nameOf(url), 'a')
  const event = new Promise<Error | undefined>((resolve) => {
    heard = resolve
  })
  saveSet(2)
  t.equal(await event, undefined)
  t.equal(await nameOf(url), 'c')
})

t.test('what is in the way of a start', async (t) => {
  const path = join(t.testdir({ text: 'abc' }), 'model')
  save(path, 0)
  const { url } = await started(t, path)
  const port = Number(new URL(url).port)
  await rejects(t, serve(path, { port }), ArgumentError, /expected a port that is free, \d+ at 127/)
  await rejects(t, serve(`${path}s`), DataError, /expected a model file, found nothing/)
  await rejects(t, serve(join(path, '../text')), DataError, /expected a safetensors file/)
  await rejects(t, serve(path, { port: 1.5 }), ArgumentError, /port from 0/)
  await rejects(t, serve(path, { timeout: 0 }), ArgumentError, /timeout in seconds/)
  await rejects(t, serve(path, { host: 7 as never }), ArgumentError, /host as text/)
  await rejects(t, serve(path, { ports: 7 } as never), ArgumentError, /did you mean port/)
  t.equal(await nameOf(url), 'a')
})

t.test('a network without classes answers its outputs', async (t) => {
  const path = join(t.testdir(), 'model')
  saveMlp(mlp([2, 1]), path, { units: [2, 1], activation: 'relu' })
  const { url, info } = await started(t, path)
  t.equal((await post(`${url}/predict`, bytesOf([1, 2]))).floats.length, 1)
  t.match(info(), { answers: 'outputs', inputShape: [2] })
})

const head = (length: number) =>
  `POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

t.test('clients that hang up, are slow, or speak no HTTP', async (t) => {
  const path = join(t.testdir(), 'model')
  save(path, 0)
  const { url } = await started(t, path, { timeout: 0.2, maxBytes: 1000 })
  const gone = connected(url, `${head(100)}{"inputs"`)
  await once(gone, 'connect')
  gone.destroy()

  const readAll = async (text: string) => {
    let all = ''
    for await (const chunk of connected(url, text)) all += chunk
    return all
  }
  t.match(await readAll(`${head(100)}{"inputs"`), /^HTTP\/1.1 408 /, 'a slow one')
  t.match(await readAll('POST /pre'), /^HTTP\/1.1 408 /)
  t.match(await readAll('hello\r\n\r\n'), /^HTTP\/1.1 400 /)
  const tooLong = connected(url, head(1e9))
  const [answer] = await once(tooLong, 'data')
  t.match(
    String(answer),
    /^HTTP\/1.1 413 [\s\S]*expected a body of at most 1000 bytes, got 1000000000/,
  )
  tooLong.destroy()
  const chunked = head(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked')
  const endless = connected(url, `${chunked}7d0\r\n${' '.repeat(2000)}\r\n`)
  t.match(String((await once(endless, 'data'))[0]), /^HTTP\/1.1 413 /)
  endless.destroy()
  t.equal(await nameOf(url), 'a', 'it goes on')
})

t.test('where too much waits, further requests are told to come again', async (t) => {
  const path = join(t.testdir(), 'model')
  save(path, 0)
  const { url } = await started(t, path, { maxWaiting: 1 })
  const body = '{"inputs": [1, 2]}'
  // In one piece, so that all are read in one turn.
  const socket = connected(url, `${head(body.length)}${body}`.repeat(3))
  let text = ''
  while (text.split('HTTP/1.1').length < 4) text += String((await once(socket, 'data'))[0])
  socket.destroy()
  t.match(text, /200 OK/)
  t.match(text, /503 Service Unavailable[\s\S]*Retry-After: 1\r\n/)
})

t.test('close answers what has come', async (t) => {
  const path = join(t.testdir(), 'model')
  save(path, 0)
  const server = await started(t, path)
  const body = '{"inputs": [1, 2]}'
  const socket = connected(server.url, `${head(body.length)}${body.slice(0, 5)}`)
  const idle = connected(server.url, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(idle, 'data')
  const closed = server.close()
  t.equal(server.close(), closed)
  await once(idle, 'close')
  await t.rejects(ask(`${server.url}/healthz`))
  socket.write(body.slice(5))
  let text = ''
  for await (const chunk of socket) text += chunk
  t.match(text, /^HTTP\/1.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*"name":"a"/)
  await closed
})
