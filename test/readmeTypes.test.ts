/** The `js` and `ts` examples of README.md and of the guides in docs/ are strict TypeScript. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { env, examples, pathOf, project } from './support/examples.js'

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
