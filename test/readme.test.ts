/**
 * The examples of README.md and of the guides in docs/: `js` and `ts` blocks run as they are pasted; `bash` blocks
 * run, too; `sh` blocks are only shown.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import t, { type Test } from 'tap'
import { type Example, env, examples, examplesOf, files, project } from './support/examples.js'

// Each is a process of its own.
t.jobs = 2

async function run(t: Test, { language, code }: Example): Promise<{ stderr: string }> {
  const options = { cwd: project(t), env }
  if (language === 'bash') return promisify(execFile)('bash', ['-euc', code], options)
  const script =
    language === 'ts' ? (await transform(code, { loader: 'ts', target: 'node20' })).code : code
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], options)
}

for (const file of files) t.ok(examplesOf(file).length > 0, `${file} has examples`)

for (const example of examples) {
  t.test(`${example.name}: ${example.code.split('\n', 1)}`, { buffered: true }, async (t) => {
    const { stderr } = await run(t, example)
    // That five epochs are not enough is scikit-learn's own warning.
    t.notMatch(stderr, /Warning(?<!ConvergenceWarning)/)
  })
}
