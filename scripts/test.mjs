// Runs the test suite, or the files given as arguments, with tap and ends with the plain line
// `N passed, N failed, N skipped`.
//   node scripts/test.mjs [--fast] [--coverage] [test/room/name.test.ts ...]
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { TapSummary } from './tap-summary.mjs'
import { fast } from './tiers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const coverage = args.includes('--coverage')
const files = args.filter((arg) => !arg.startsWith('--'))
if (args.includes('--fast')) files.push(...fast)

const tap = spawn(
  process.execPath,
  [
    `${root}node_modules/tap/dist/esm/run.mjs`,
    'run',
    '--reporter=tap',
    ...(coverage ? [] : ['--disable-coverage']),
    ...files,
  ],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
)
const summary = new TapSummary((text) => console.log(text))
tap.stdout.pipe(summary.parser)

tap.on('close', (code, signal) => {
  const counts = summary.counts
  if (counts.passed + counts.failed === 0) console.log('no test was run')
  // tap knows of more than failed tests: no such file, a broken configuration.
  if (code !== 0 && counts.failed === 0) {
    console.log(`tap ended with ${signal ?? `exit code ${code}`}`)
    counts.failed = 1
  }
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
})
