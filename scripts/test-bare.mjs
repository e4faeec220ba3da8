// The packed tarball where there is nothing but Node: no compiler, no OpenBLAS, and no script of the
// package's may run.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { furnish, runIn, targets } from './bare/root.mjs'
import { inRoot, say, step, stop } from './setup/run.mjs'

const help = `usage: npm run test:bare [-- linux-x64] [linux-arm64] [--suite bullseye]

Packs the package, installs it with --ignore-scripts into a folder that is made the root folder of its
programs, with Node, the libraries that Node needs and nothing else in it, and has it learn there:
once on this machine's processor and once on the other one's, which qemu stands in for, or for those named.
--suite takes Debian's minimal system of that name instead (debootstrap), on this machine's processor alone:
bullseye has glibc 2.31. It needs unshare (util-linux); for the other processor g++-aarch64-linux-gnu and qemu-user-static (on arm64:
g++-x86-64-linux-gnu).`

/** The project that has installed the package. */
function install(folder) {
  mkdirSync(folder)
  const pack = [
    'pack',
    inRoot(),
    '--ignore-scripts',
    '--pack-destination',
    folder,
    '--loglevel=error',
  ]
  step('packing', '', 'npm', pack)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const args = [
    'install',
    `./${tarball}`,
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
  ]
  say(`npm ${args.join(' ')}`)
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  for (const file of [
    'scripts/bare/program.mjs',
    'test/support/digests.mjs',
    'test/fixtures/digests.json',
  ]) {
    copyFileSync(inRoot(file), join(folder, basename(file)))
  }
}

function main() {
  const options = { help: { type: 'boolean', short: 'h' }, suite: { type: 'string' } }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  if (values.help) return console.log(help)
  if (process.platform !== 'linux') stop('test:bare runs on Linux alone', 2)
  const unknown = positionals.find((name) => !targets.includes(name))
  if (unknown) stop(`unknown target ${unknown}\n${help}`, 2)
  const own = `linux-${process.arch}`
  const chosen = values.suite ? [own] : positionals.length > 0 ? positionals : targets
  const temporary = mkdtempSync(join(tmpdir(), 'neuroblas-bare-'))
  process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
  const project = join(temporary, 'project')
  install(project)
  for (const target of chosen) {
    const root = join(temporary, target)
    if (values.suite) {
      const args = ['--variant=minbase', values.suite, root]
      step(`debootstrap ${args.join(' ')}`, 'It needs root, and debootstrap.', 'debootstrap', args)
    }
    cpSync(project, join(root, 'project'), { recursive: true })
    furnish(root, target, { withLibraries: !values.suite })
    say(`${target}, with nothing but Node:`)
    runIn(root, target, 'node_modules/neuroblas/lib/apps/cli/main.js', 'info')
    runIn(root, target, 'program.mjs')
  }
}

main()
