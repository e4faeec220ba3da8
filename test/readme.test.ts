/**
 * The examples of README.md and of the guides in docs/: `js` and `ts` blocks run as they are pasted, and
 * are strict TypeScript; `bash` blocks run, too; `sh` blocks are only shown.
 */
import { execFile } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import t, { type Test } from 'tap'

const root = new URL('../', import.meta.url)
const pathOf = (file: string) => fileURLToPath(new URL(file, root))
const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env

interface Example {
  name: string
  language: string
  code: string
}

// What `npm run reproduce` writes holds no examples.
const guides = readdirSync(pathOf('docs')).filter((file) => file.endsWith('.md'))
const files = [
  'README.md',
  ...guides.filter((file) => file !== 'results.md').map((file) => `docs/${file}`),
]
const examples = files.flatMap((file) => examplesOf(file))

function examplesOf(file: string): Example[] {
  const blocks = readFileSync(pathOf(file), 'utf8').matchAll(/^```(js|ts|bash)\n(.*?)^```/gms)
  return [...blocks].map(([, language, code], i) => ({
    name: `${basename(file, '.md')}-${i + 1}`,
    language,
    code,
  }))
}

/** A folder of its own with the package installed: some examples write files. */
function project(t: Test, files: Record<string, string> = {}): string {
  const command = `#!/bin/sh\nexec '${process.execPath}' '${pathOf('lib/apps/cli/main.js')}' "$@"\n`
  const folder = t.testdir({
    node_modules: {
      neuroblas: t.fixture('symlink', pathOf('.')),
      '@tensorflow': t.fixture('symlink', pathOf('node_modules/@tensorflow')),
      sharp: t.fixture('symlink', pathOf('node_modules/sharp')),
      'onnxruntime-node': t.fixture('symlink', pathOf('node_modules/onnxruntime-node')),
      fastify: t.fixture('symlink', pathOf('node_modules/fastify')),
      '.bin': { neuroblas: command },
    },
    ...files,
  })
  chmodSync(join(folder, 'node_modules/.bin/neuroblas'), 0o755)
  return folder
}

async function run(t: Test, { language, code }: Example): Promise<{ stderr: string }> {
  const options = { cwd: project(t), env }
  if (language === 'bash') return promisify(execFile)('bash', ['-euc', code], options)
  const script =
    language === 'ts' ? (await transform(code, { loader: 'ts', target: 'node20' })).code : code
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], options)
}

for (const file of files) t.ok(examplesOf(file).length > 0, `${file} has examples`)

for (const example of examples) {
  t.test(`${example.name}: ${example.code.split('\n', 1)}`, async (t) => {
    const { stderr } = await run(t, example)
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
    typeRoots: [pathOf('node_modules/@types')],
  }
  const sources = examples
    .filter(({ language }) => language !== 'bash')
    .map(({ name, code }) => [`${name}.mts`, code])
  const cwd = project(t, {
    'tsconfig.json': JSON.stringify({ compilerOptions }),
    ...Object.fromEntries(sources),
  })
  const tsc = pathOf('node_modules/typescript/bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc], { cwd, env }).catch(
    (error: { stdout: string }) => error,
  )
  // TensorFlow.js's own declarations have errors of their own.
  const errors = stdout
    .split(/\n(?! )/)
    .filter((error) => !/^\S*node_modules\/@tensorflow\//.test(error))
  t.equal(errors.join('\n'), '')
})
