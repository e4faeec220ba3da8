/**
 * The addon below the library, called at random with what fits and what does not: it never crashes,
 * writes nothing outside its buffers and keeps nothing. FUZZ_SEED chooses other calls.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const CALLS = 100_000

t.test('random calls', { timeout: 300_000 }, async (t) => {
  const script = fileURLToPath(new URL('../../scripts/fuzz/addon.mjs', import.meta.url))
  const seed = process.env.FUZZ_SEED ?? '1'
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--calls', String(CALLS), '--seed', seed],
    { encoding: 'utf8' },
  )
  t.strictSame({ status, signal }, { status: 0, signal: null }, `seed ${seed}: ${stderr}`)
  t.match(stdout, new RegExp(`^seed ${seed}\n`))
  t.match(stdout, new RegExp(`\n${CALLS} calls\n$`))
})
