/** `neuroblas serve`: what it prints, and how it ends. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { mlp, saveMlp } from '../../lib/index.js'
import { runCommand } from '../support/cli.js'
import { bytesOf, post } from '../support/http.js'

const windows = process.platform === 'win32' && 'signals differ there'

t.test('it answers, and ends by itself when it is told to', { skip: windows }, async (t) => {
  const cwd = t.testdir()
  saveMlp(mlp([2, 1]), join(cwd, 'model'), { units: [2, 1], activation: 'relu' })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    let asked: Promise<void> | undefined
    const { code, stdout, stderr } = await runCommand(['serve', 'model', '--port', '0'], {
      cwd,
      watch: (child, stdout) => {
        const [, url] = /^serving model at (http:\S+)\n$/.exec(stdout) ?? []
        if (url === undefined) return
        asked ??= (async () => {
          t.equal((await post(`${url}/predict`, bytesOf([1, 2]))).floats.length, 1)
          child.kill(signal)
        })()
      },
    })
    await asked
    t.equal(code, 0)
    t.match(stdout, /^serving model at http:\/\/127\.0\.0\.1:\d+\n$/)
    t.equal(stderr, `neuroblas: ${signal}: stopping; once more to quit at once\n`)
  }
})

t.test('what is wrong is one line and an exit code', async (t) => {
  const cwd = t.testdir({ text: 'no model at all' })
  saveMlp(mlp([2, 1]), join(cwd, 'model'), { units: [2, 1], activation: 'relu' })
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => server.close())
  const port = String((server.address() as AddressInfo).port)
  const cases: [string[], number, RegExp][] = [
    [['text'], 1, /^neuroblas: text: expected a safetensors file.*\n$/],
    [['none'], 1, /^neuroblas: none: expected a model file, found nothing\n$/],
    [['model', '--port', port], 1, /^neuroblas: serve: expected a port that is free, .* in use\n$/],
    [
      ['model', '--port', '70000'],
      2,
      /^neuroblas: --port: expected a port from 0 to 65535, got "7/,
    ],
    [['model', '--unseen', 'x'], 2, /^neuroblas: --unseen: expected refuse or ignore, got "x"\n$/],
    [[], 2, /^neuroblas: missing required argument 'model'\n$/],
  ]
  const runs = cases.map(([args]) => runCommand(['serve', ...args], { cwd }))
  for (const [i, { code, stderr }] of (await Promise.all(runs)).entries()) {
    t.equal(code, cases[i][1])
    t.match(stderr, cases[i][2])
  }
})
