/** A training that is killed at random moments and goes on: scripts/kill.mjs, for a few of them. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// Each run is a process; on a busy machine they take their time.
const MINUTES = 5
t.setTimeout(MINUTES * 60_000)

t.test(
  'killed and resumed runs end with the bits of whole ones',
  { timeout: MINUTES * 60_000 },
  async (t) => {
    const script = fileURLToPath(new URL('../../scripts/kill.mjs', import.meta.url))
    const { NODE_OPTIONS: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--kills', '5'], {
      encoding: 'utf8',
      env,
    })
    t.equal(status, 0, stderr)
    t.match(stdout, /^5 kills, \d+ of them in a write; \d+ runs ended alike\n$/)
  },
)
