/**
 * The fuzzers of everything public and of the files that are read, a short run of each. FUZZ_SEED chooses
 * other calls; `npm run fuzz` goes on for as long as it is told.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const seed = process.env.FUZZ_SEED ?? '1'

function start(script: string, ...args: string[]) {
  const path = fileURLToPath(new URL(`../../scripts/fuzz/${script}`, import.meta.url))
  return spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' })
}

t.test('everything public', { timeout: 300_000 }, async (t) => {
  const { status, signal, stdout, stderr } = start('api.mjs', '--calls', '3000', '--seed', seed)
  t.strictSame({ status, signal }, { status: 0, signal: null }, `seed ${seed}: ${stderr}`)
  t.match(stdout, /\n3000 calls\n$/)
})

t.test('files', { timeout: 300_000 }, async (t) => {
  const { status, signal, stdout, stderr } = start('files.mjs', '--files', '1000', '--seed', seed)
  t.strictSame({ status, signal }, { status: 0, signal: null }, `seed ${seed}: ${stderr}`)
  t.match(stdout, /\n1000 files\n$/)
})

t.test('the command', async (t) => {
  t.match(start('run.mjs', '--help').stdout, /^npm run fuzz -- .*--seconds N/s)
  const { status, stderr } = start('run.mjs', '--only', 'everything')
  t.equal(status, 2)
  t.match(stderr, /^fuzz: expected the options below, got --only everything/)
  const { status: ended, stdout } = start(
    'run.mjs',
    ...['--only', 'files', '--seconds', '0', '--seed', '7'],
  )
  t.equal(ended, 0)
  t.equal(stdout, 'seed 7\nfiles: seeds 7 to 7\n')
})
