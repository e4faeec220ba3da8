/** The blocks of README.md and of the guides in docs/ that are run or compiled, and a folder to do so. */
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const root = new URL('../../', import.meta.url)
export const pathOf = (file: string) => fileURLToPath(new URL(file, root))
/** Of processes that are no tests. */
export const { NODE_OPTIONS, NODE_V8_COVERAGE, ...env } = process.env

export interface Example {
  name: string
  language: string
  code: string
}

// What `npm run reproduce` writes holds no examples.
const guides = readdirSync(pathOf('docs')).filter((file) => file.endsWith('.md'))
export const files = [
  'README.md',
  ...guides.filter((file) => file !== 'results.md').map((file) => `docs/${file}`),
]
export const examples = files.flatMap((file) => examplesOf(file))

export function examplesOf(file: string): Example[] {
  const blocks = readFileSync(pathOf(file), 'utf8').matchAll(/^```(js|ts|bash)\n(.*?)^```/gms)
  return [...blocks].map(([, language, code], i) => ({
    name: `${basename(file, '.md')}-${i + 1}`,
    language,
    code,
  }))
}

/** A folder of its own with the package installed: some examples write files. */
export function project(t: Test, files: Record<string, string> = {}): string {
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
