// The TypeScript: src/ compiled to lib/.
import { existsSync, renameSync, rmSync } from 'node:fs'
import { inRoot, step } from './run.mjs'
import { filesUnder, hashOf, stampMatches, writeStamp } from './stamp.mjs'

const stamp = 'lib/.stamp'

const key = () => hashOf(['tsconfig.json', 'scripts/setup/bundle.mjs', ...filesUnder('src')])

export const libIsFresh = () => stampMatches(stamp, key(), filesUnder('lib'))

/** Compiles beside lib/ and swaps, so that no program sees a half-written or outdated file. */
export function buildTypeScript() {
  const before = key()
  for (const folder of ['lib.new', 'lib.old'])
    rmSync(inRoot(folder), { recursive: true, force: true })
  const tsc = [
    inRoot('node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.json',
    '--pretty',
    'false',
  ]
  const advice = 'Mend the errors and run the same command again.'
  // What comments say stands in the types.
  step('compiling TypeScript', advice, process.execPath, [
    ...tsc,
    '--outDir',
    'lib.new',
    '--removeComments',
  ])
  // The types that others get: without what is marked as internal.
  step('writing the published types', advice, process.execPath, [
    ...tsc,
    '--outDir',
    'lib.new/types',
    '--emitDeclarationOnly',
    '--stripInternal',
    '--noCheck',
  ])
  step('removing the types of what is internal', advice, process.execPath, [
    inRoot('scripts/setup/publishedTypes.mjs'),
    'lib.new/types',
  ])
  step('bundling the library', advice, process.execPath, [
    inRoot('scripts/setup/bundle.mjs'),
    'lib.new',
  ])
  writeStamp('lib.new/.stamp', before)
  if (existsSync(inRoot('lib'))) renameSync(inRoot('lib'), inRoot('lib.old'))
  renameSync(inRoot('lib.new'), inRoot('lib'))
  rmSync(inRoot('lib.old'), { recursive: true, force: true })
}
