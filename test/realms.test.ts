/** The library in a realm of its own, with files and arrays of another one: what Jest makes of it. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

t.test('the library in another realm', async (t) => {
  const script = fileURLToPath(new URL('support/otherRealm.mjs', import.meta.url))
  const args = ['--experimental-vm-modules', '--no-warnings', script, t.testdir()]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.equal(stdout, 'all of it works\n')
})
