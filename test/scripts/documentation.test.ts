/** `npm run check` refuses public names without a docstring, and links that lead nowhere. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env

/** What typedoc says of a module, by the options of this project. */
function check(t: Test, source: string): { status: number | null; output: string } {
  const folder = t.testdir({
    'index.ts': source,
    'tsconfig.json': JSON.stringify({ files: ['index.ts'] }),
    'package.json': JSON.stringify({ name: 'fixture', type: 'module' }),
    'typedoc.json': JSON.stringify({
      extends: [join(root, 'typedoc.json')],
      entryPoints: ['index.ts'],
      readme: 'none',
      projectDocuments: [],
      // Names of this library, which the fixture does not have.
      intentionallyNotExported: [],
    }),
  })
  const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--emit', 'none'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

const documented = `
/** A point. */
export interface Point {
  /** In metres. */
  x: number
}
/** Its distance from 0. */
export function distance({ x }: Point): number {
  return Math.abs(x)
}
/** @internal */
export function helper(): void {}
`

t.test('what is documented passes, internals need no docstring', async (t) => {
  t.same(check(t, documented), { status: 0, output: '' })
})

const missing = {
  'a function': ['/** Its distance from 0. */', 'distance'],
  'an interface': ['/** A point. */', 'Point'],
  'a member': ['/** In metres. */', 'Point.x'],
}
for (const [what, [docstring, name]] of Object.entries(missing)) {
  t.test(`${what} without a docstring fails`, async (t) => {
    const { status, output } = check(t, documented.replace(docstring, ''))
    t.not(status, 0)
    t.match(output, `${name} (`)
    t.match(output, 'does not have any documentation')
  })
}

t.test('a link that leads nowhere fails', async (t) => {
  const { status, output } = check(
    t,
    documented.replace('In metres.', 'As {@link Nothing} has it.'),
  )
  t.not(status, 0)
  t.match(output, 'Nothing')
})
