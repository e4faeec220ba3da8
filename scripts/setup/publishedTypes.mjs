// Removes the published types that no entry of the package leads to: they would only make it larger.
//   node scripts/setup/publishedTypes.mjs FOLDER
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(process.argv[2])
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The entries, whose paths begin with lib/types. */
function entriesIn(value) {
  if (typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'types' ? [join(folder, relative('lib/types', inner))] : entriesIn(inner),
  )
}

const IMPORT = /(?:from|import) '(\.[^']+)\.js'|import\(["'](\.[^"']+)\.js["']\)/g

const reached = new Set()
const waiting = entriesIn(exports)
while (waiting.length > 0) {
  const path = waiting.pop()
  if (reached.has(path)) continue
  reached.add(path)
  for (const [, from, inside] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
    waiting.push(join(dirname(path), `${from ?? inside}.d.ts`))
  }
}
for (const file of readdirSync(folder, { recursive: true })) {
  const path = join(folder, file)
  if (path.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
}
