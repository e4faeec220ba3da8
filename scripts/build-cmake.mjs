// Builds the addon with CMake for work on the C++; build/ (what users run) stays as it is.
//   node scripts/build-cmake.mjs [--debug] [--sanitize address|undefined|thread|address,undefined]
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { argv, execPath, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Builds into a folder of its own per kind of build; returns the path of the .node file. */
export function buildWithCMake({ debug = false, sanitize = '' }) {
  // cmake-js writes to <folder>/<config>/.
  const config = debug ? 'Debug' : 'Release'
  const folder = ['build-cmake', debug && 'debug', ...sanitize.split(',')].filter(Boolean).join('-')
  const args = ['build', '-d', 'native', '-O', join(root, folder), '-B', config]
  args.push(`--CDNEUROBLAS_SANITIZE=${sanitize}`, '-p', String(cpus().length))
  const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js')
  const { status } = spawnSync(execPath, [cmakeJs, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error('build:cmake failed. It needs cmake (Debian/Ubuntu: apt-get install cmake).')
    exit(1)
  }
  return join(root, folder, config, 'neuroblas.node')
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const options = { debug: { type: 'boolean' }, sanitize: { type: 'string' } }
  const addon = buildWithCMake(parseArgs({ options }).values)
  console.log(`built ${addon}\nuse it with NEUROBLAS_ADDON=${addon}`)
}
