// The npm packages: node_modules is compared with package-lock.json.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { inRoot, step } from './run.mjs'

// npm writes this list of what it installed when it has finished.
const installedList = inRoot('node_modules', '.package-lock.json')

const packagesIn = (file) => JSON.parse(readFileSync(file, 'utf8')).packages

/** Whether every package of the lock file is there, in that version. */
export function packagesAreFresh() {
  if (!existsSync(installedList)) return false
  const installed = packagesIn(installedList)
  return Object.entries(packagesIn(inRoot('package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true
    // Optional ones are for other platforms.
    if (!(path in installed)) return Boolean(wanted.optional)
    const same = installed[path].version === wanted.version
    return same && existsSync(inRoot(path, 'package.json'))
  })
}

export function installPackages() {
  // npm ci empties node_modules first; were it killed then, the old list must not stay behind.
  rmSync(installedList, { force: true })
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const advice = 'Check the connection to the npm registry, then run the same command again.'
  const npm = process.env.npm_execpath
  if (npm && basename(npm) === 'npm-cli.js') {
    step('installing npm packages', advice, process.execPath, [npm, ...args])
  } else {
    step('installing npm packages', advice, 'npm', args)
  }
}
