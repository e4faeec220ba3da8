// The binaries that lie in the packed tarball, where node-gyp-build finds them without any script having
// run: prebuilds/linux-x64 and prebuilds/linux-arm64. That of the machine's own kind is linked from what
// the set-up compiled, the other one is compiled here.
//   node scripts/prebuilds.mjs [linux-x64] [linux-arm64]
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { link } from './prebuilds/link.mjs'
import { addonSources } from './setup/addon.mjs'
import { takeLock } from './setup/lock.mjs'
import { inRoot, say, stop } from './setup/run.mjs'
import { filesUnder, hashOf, stampMatches, writeStamp } from './setup/stamp.mjs'
import { ensureCrossCompiler } from './setup/system.mjs'

const help = `usage: npm run prebuilds [-- linux-x64] [linux-arm64]

Makes the binaries that lie in the packed tarball, for Linux with glibc 2.28 or newer on x64 and arm64, or
those named; the one for another processor by Debian's cross compiler. Does only what is missing or out of
date. \`npm pack\` does it, too; \`npm pack --ignore-scripts\` packs what is there.`

/** GNU's names, with which those of Debian's tools begin. */
const triples = { 'linux-x64': 'x86_64-linux-gnu', 'linux-arm64': 'aarch64-linux-gnu' }

const words = (text) => text.trim().split(/\s+/)
const sources = words(readFileSync(inRoot('native/sources'), 'utf8'))
const objectsIn = (folder) => sources.map((file) => join(folder, file.replace(/\.cc$/, '.o')))

/** Compiles all sources for another processor, with the addon's own flags. */
async function crossCompile(triple, folder) {
  ensureCrossCompiler(`${triple}-g++`, `g++-${triple.replaceAll('_', '-')}`)
  // binding.gyp is written as strict JSON for this.
  const [target] = JSON.parse(readFileSync(inRoot('binding.gyp'), 'utf8')).targets
  const includes = [
    'native',
    'node_modules/node-addon-api',
    'node_modules/node-api-headers/include',
  ]
  const flags = [
    ...target.cflags_cc,
    ...target.defines.map((name) => `-D${name}`),
    ...includes.map((path) => `-I${path}`),
    ...['-fPIC', '-pthread', '-Wno-unused-parameter'],
  ]
  const objects = objectsIn(folder)
  // The largest first, so that no processor waits for one of them at the end.
  const size = (i) => statSync(inRoot('native', sources[i])).size
  const queue = sources.map((_, i) => i).sort((a, b) => size(b) - size(a))
  const compileNext = async () => {
    for (let i = queue.shift(); i !== undefined; i = queue.shift()) {
      mkdirSync(inRoot(dirname(objects[i])), { recursive: true })
      const args = ['-c', ...flags, join('native', sources[i]), '-o', objects[i]]
      await promisify(execFile)(`${triple}-g++`, args, { cwd: inRoot() })
    }
  }
  say(`compiling for ${triple} ...`)
  await Promise.all(Array.from({ length: availableParallelism() }, compileNext)).catch((error) =>
    stop(`compiling for ${triple}: failed\n${error.stderr || error.message}`),
  )
}

async function make(target) {
  const triple = triples[target]
  const folder = join('build/prebuilds', target)
  const output = join('prebuilds', target, 'neuroblas.glibc.node')
  const stamp = join(folder, '.stamp')
  const hash = hashOf([
    ...addonSources(),
    ...filesUnder('scripts/prebuilds'),
    'scripts/prebuilds.mjs',
  ])
  if (stampMatches(stamp, hash, [output])) return
  mkdirSync(inRoot(folder), { recursive: true })
  const isOurs = target === `${process.platform}-${process.arch}`
  if (!isOurs) await crossCompile(triple, folder)
  link(
    triple,
    objectsIn(isOurs ? 'build/Release/obj.target/neuroblas/native' : folder),
    folder,
    output,
  )
  writeStamp(stamp, hash)
  say(`${output}: ${(statSync(inRoot(output)).size / 1e6).toFixed(2)} MB`)
}

async function main(args) {
  if (args.includes('--help') || args.includes('-h')) return console.log(help)
  const unknown = args.find((name) => !(name in triples))
  if (unknown) stop(`unknown target ${unknown}\n${help}`, 2)
  if (process.platform !== 'linux')
    return say('binaries are made on Linux alone, the tarball has none')
  takeLock()
  for (const target of args.length > 0 ? args : Object.keys(triples)) await make(target)
}

await main(process.argv.slice(2))
