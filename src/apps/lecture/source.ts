/** The lines of an experiment that the page shows, from the file that ran. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataError } from '../../index.js'
import { packageFolder } from '../../internal.js'

const PARTS = /^ *\/\/ lecture:begin\n(.*?)^ *\/\/ lecture:end$/gms

/**
 * What stands between `// lecture:begin` and `// lecture:end` in src/apps/lecture/NAME.ts, moved to the
 * left; an ellipsis between several parts.
 * @throws DataError when there are no such lines
 */
export function excerpt(name: string): string {
  const file = join(packageFolder(), 'src', 'apps', 'lecture', `${name}.ts`)
  const parts = [...readFileSync(file, 'utf8').matchAll(PARTS)].map(([, lines]) => dedent(lines))
  if (parts.length > 0) return parts.join('\n// …\n')
  throw new DataError(`${name}.ts: expected lines between lecture:begin and lecture:end, got none`)
}

function dedent(text: string): string {
  const lines = text.trimEnd().split('\n')
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/))
  const least = Math.min(...indents)
  return lines.map((line) => line.slice(least)).join('\n')
}
