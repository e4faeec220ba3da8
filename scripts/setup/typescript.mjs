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
  step(
    'compiling TypeScript',
    'Mend the errors and run the same command again.',
    process.execPath,
    [
      inRoot('node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      'tsconfig.json',
      '--outDir',
      'lib.new',
      '--pretty',
      'false',
    ],
  )
  const again = 'Run the same command again.'
  step('bundling the library', again, process.execPath, [
    inRoot('scripts/setup/bundle.mjs'),
    'lib.new',
  ])
  writeStamp('lib.new/.stamp', before)
  if (existsSync(inRoot('lib'))) renameSync(inRoot('lib'), inRoot('lib.old'))
  renameSync(inRoot('lib.new'), inRoot('lib'))
  rmSync(inRoot('lib.old'), { recursive: true, force: true })
}
