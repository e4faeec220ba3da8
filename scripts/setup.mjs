// Makes a clone ready to run: system packages, npm packages, native addon, lib/.
// Uses only Node's own modules, for it runs before anything is installed, and does nothing
// (and says nothing) when all is up to date.
import { addonIsFresh, buildAddon } from './setup/addon.mjs'
import { takeLock } from './setup/lock.mjs'
import { installPackages, packagesAreFresh } from './setup/packages.mjs'
import { stop } from './setup/run.mjs'
import { adviseOpenblas, checkNode, ensureSystem } from './setup/system.mjs'
import { buildTypeScript, libIsFresh } from './setup/typescript.mjs'

const help = `usage: node scripts/setup.mjs

Checks Node, the C++ compiler and OpenBLAS, which it can do without (as root on Debian or Ubuntu it
installs what is missing), installs the npm packages, builds the native addon (build/) and the TypeScript
(lib/). Each step is done only when its result is missing or out of date.`

function main(args) {
  if (args.includes('--help') || args.includes('-h')) return console.log(help)
  if (args.length > 0) stop(`unknown argument ${args[0]}\n${help}`, 2)
  checkNode()
  ensureSystem()
  if (packagesAreFresh() && addonIsFresh() && libIsFresh()) return
  adviseOpenblas()
  const { afterCrash } = takeLock()
  // Each question is asked again: another set-up may have done the work while this one waited.
  if (!packagesAreFresh()) installPackages()
  if (!addonIsFresh()) buildAddon({ clean: afterCrash })
  if (!libIsFresh()) buildTypeScript()
}

main(process.argv.slice(2))
