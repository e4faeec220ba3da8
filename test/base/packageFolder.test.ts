/** The package finds its addon and its data however a program was given to Node. */
import { spawnSync } from 'node:child_process'
import t from 'tap'

const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env
const library = new URL('../../lib/index.js', import.meta.url).href
const program = `import('${library}').then(({ digits }) => console.log(digits().size))`

const ways: Record<string, { args: string[]; input?: string }> = {
  'as an argument': { args: ['-e', program] },
  'as a module in an argument': { args: ['--input-type=module', '-e', program] },
  'on standard input': { args: ['-'], input: program },
}
for (const [way, { args, input }] of Object.entries(ways)) {
  t.test(way, async (t) => {
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, input, encoding: 'utf8' })
    t.strictSame({ stdout, stderr }, { stdout: '1797\n', stderr: '' })
  })
}
