/** A training that is killed at random moments and goes on: scripts/kill.mjs, for a few of them. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// Each run is a process; on a busy machine they take their time.
const MINUTES = 5
t.setTimeout(MINUTES * 60_000)

for (const keeps of ['checkpoint', 'run']) {
  t.test(
    `killed and resumed by its ${keeps}, a training ends with the bits of a whole one`,
    { timeout: MINUTES * 60_000 },
    async (t) => {
      const script = fileURLToPath(new URL('../../scripts/kill.mjs', import.meta.url))
      const { NODE_OPTIONS: _, ...env } = process.env
      const args = [script, '--kills', '5', '--keeps', keeps]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        env,
      })
      t.equal(status, 0, stderr)
      t.match(stdout, /^5 kills, \d+ of them in a write; \d+ runs ended alike\n$/)
    },
  )
}
