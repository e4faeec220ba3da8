// The native addon: build/Release/neuroblas.node through node-gyp and binding.gyp.
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inRoot, run, step, stop } from './run.mjs'
import { filesUnder, hashOf, newest, stampMatches, writeStamp } from './stamp.mjs'

const output = 'build/Release/neuroblas.node'
const stamp = 'build/.stamp'

/** What it is made from. */
export const addonSources = () => [
  'binding.gyp',
  'native/sources',
  ...filesUnder('native').filter(
    (file) => /\.(cc|h)$/.test(file) && !file.startsWith('native/test/'),
  ),
]

// N-API keeps the addon good for every Node, so the Node version is no part of the key.
const key = () => hashOf(addonSources(), process.platform, process.arch)

/** `--nodedir` when Node's headers lie beside the binary: then node-gyp downloads nothing. */
export function nodedirArgs() {
  const prefix = dirname(dirname(process.execPath))
  return existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

/** What goes wrong when the built addon is loaded (in a process of its own), or undefined. */
function loadError() {
  const { ok, output: text } = run(process.execPath, [
    '-p',
    `require(${JSON.stringify(inRoot(output))})`,
  ])
  return ok ? undefined : text.split('\n').slice(0, 12).join('\n')
}

/**
 * Accepts a build that has no stamp, such as a plain `npm ci` makes: newer than all its sources
 * and loadable.
 */
function adopt(hash) {
  const built = statSync(inRoot(output)).mtimeMs
  if (existsSync(inRoot(stamp)) && built <= statSync(inRoot(stamp)).mtimeMs) return false
  if (built <= newest(addonSources()) || loadError()) return false
  writeStamp(stamp, hash)
  return true
}

export function addonIsFresh() {
  if (!existsSync(inRoot(output))) return false
  const hash = key()
  return stampMatches(stamp, hash, [output]) || adopt(hash)
}

export function buildAddon({ clean }) {
  // Taken before: a source that changes during the build makes the result stale.
  const hash = key()
  const commands = clean || !existsSync(inRoot('build')) ? ['rebuild'] : ['configure', 'build']
  step(
    'building the native addon',
    'If the sources are unchanged, remove build/ and run the same command again.',
    process.execPath,
    [
      inRoot('node_modules/node-gyp/bin/node-gyp.js'),
      ...commands,
      '--jobs',
      'max',
      '--loglevel=error',
      ...nodedirArgs(),
    ],
  )
  const error = loadError()
  if (error) stop(`the native addon was built but does not load:\n${error}`)
  writeStamp(stamp, hash)
}
