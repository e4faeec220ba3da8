/** The lines of an experiment that the page shows: a program of its own, from the file that ran. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DataError } from '../../index.js'
import { packageFolder } from '../../internal.js'

const PARTS = /^ *\/\/ lecture:begin\n(.*?)^ *\/\/ lecture:end$/gms
const IMPORTS = /^import (type )?\{([^}]*)\} from '([^']+)'/gm
/** Ends a line that only serves the page, such as its progress bar. */
const HIDDEN = /^.*\/\/ lecture:hide\n/gm
/** Ends a line in whose place another is shown, such as one with a number for a variable. */
const SHOWN_AS = /^( *).*\/\/ lecture:as /gm
const WIDTH = 100

/**
 * What stands between `// lecture:begin` and `// lecture:end` in src/apps/lecture/NAME.ts, moved to the
 * left, without lines that end in `// lecture:hide` and with what follows `// lecture:as ` in a line in
 * its place, below the imports that it needs.
 * @throws DataError when there are no such lines
 */
export function excerpt(name: string): string {
  const { packages, own, code } = partsOf(name)
  const imports = [...packages].map(([module, names]) => importLine(module, [...names].sort()))
  return [imports.join('\n'), ...own, code].join('\n\n')
}

/** The names from each package, the code of files beside it that it uses, and its own. */
function partsOf(name: string) {
  const source = readFileSync(join(packageFolder(), 'src', 'apps', 'lecture', `${name}.ts`), 'utf8')
  const shown = [...source.matchAll(PARTS)].map(([, lines]) =>
    dedent(lines.replace(HIDDEN, '').replace(SHOWN_AS, '$1')),
  )
  if (shown.length === 0) {
    throw new DataError(
      `${name}.ts: expected lines between lecture:begin and lecture:end, got none`,
    )
  }
  const code = shown.join('\n\n')
  const packages = new Map<string, Set<string>>()
  const own: string[] = []
  for (const [, allTypes = '', list, module] of source.matchAll(IMPORTS)) {
    const names = list.split(',').map((entry) => entry.trim())
    const used = names.filter((entry) => entry && isUsed(entry.replace(/^type /, ''), code))
    if (used.length === 0) continue
    if (module.startsWith('.')) {
      const other = partsOf(module.slice('./'.length, -'.js'.length))
      for (const [from, names] of other.packages) add(packages, from, names)
      own.push(...other.own, other.code)
    } else {
      add(
        packages,
        module,
        used.map((entry) => allTypes + entry),
      )
    }
  }
  return { packages, own, code }
}

function isUsed(name: string, code: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(code)
}

function add(packages: Map<string, Set<string>>, module: string, names: Iterable<string>): void {
  packages.set(module, new Set([...(packages.get(module) ?? []), ...names]))
}

function importLine(module: string, names: readonly string[]): string {
  const line = `import { ${names.join(', ')} } from '${module}'`
  return line.length <= WIDTH
    ? line
    : `import {\n${names.map((name) => `  ${name},`).join('\n')}\n} from '${module}'`
}

function dedent(text: string): string {
  const lines = text.trimEnd().split('\n')
  const indents = lines.filter((line) => line.trim()).map((line) => line.search(/\S/))
  const least = Math.min(...indents)
  return lines.map((line) => line.slice(least)).join('\n')
}
