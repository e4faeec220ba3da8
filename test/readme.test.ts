/** Every example of the README runs as it is pasted, and is TypeScript, too. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const root = new URL('../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const examples = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code]) => code)
const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env

t.ok(examples.length >= 9, 'the examples are found')
for (const [i, code] of examples.entries()) {
  t.test(`example ${i + 1}: ${code.split('\n', 1)}`, async (t) => {
    const command = ['--input-type=module', '--eval', code]
    // Some write files: not into the repository.
    const cwd = t.testdir({
      node_modules: { neuroblas: t.fixture('symlink', fileURLToPath(root)) },
    })
    const { stderr } = await promisify(execFile)(process.execPath, command, { cwd, env })
    // That five epochs are not enough is scikit-learn's own warning.
    t.notMatch(stderr, /Warning(?<!ConvergenceWarning)/)
  })
}

t.test('as TypeScript, strictly', async (t) => {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2023',
    types: ['node'],
    typeRoots: [fileURLToPath(new URL('node_modules/@types', root))],
  }
  const files = examples.map((code, i) => [`example${i + 1}.mts`, code])
  const cwd = t.testdir({
    node_modules: { neuroblas: t.fixture('symlink', fileURLToPath(root)) },
    'tsconfig.json': JSON.stringify({ compilerOptions }),
    ...Object.fromEntries(files),
  })
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root))
  const { stdout } = await promisify(execFile)(process.execPath, [tsc], { cwd, env }).catch(
    (error: { stdout: string }) => error,
  )
  t.equal(stdout, '')
})
