// Runs the whole suite on other Node versions, fetched as npm packages: npm run test:matrix
// N-API keeps the addon and lib/ good for all of them, so they are built once, by this Node.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const versions = ['22', '24']

const results = versions.map((version) => {
  console.log(`== Node ${version}`)
  const npx = ['-y', '-p', `node@${version}`, 'node', 'scripts/test.mjs']
  const { status, stdout } = spawnSync('npx', npx, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  })
  console.log(stdout.trimEnd())
  return { version, ok: status === 0, summary: stdout.trimEnd().split('\n').at(-1) }
})

console.log('== summary')
for (const { version, ok, summary } of results) {
  console.log(`Node ${version}: ${ok ? 'ok' : 'FAILED'}  ${summary}`)
}
process.exit(results.every(({ ok }) => ok) ? 0 : 1)
