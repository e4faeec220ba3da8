// A root folder with Node in it and nothing but what Node needs, and programs that run in there.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execPath } from 'node:process'
import { inRoot, step, stop } from '../setup/run.mjs'

/** A processor: its loader of programs, and, where it is not this machine's, who stands in for it. */
const processors = {
  'linux-x64': {
    loader: '/lib64/ld-linux-x86-64.so.2',
    qemu: 'qemu-x86_64-static',
    triple: 'x86_64-linux-gnu',
  },
  'linux-arm64': {
    loader: '/lib/ld-linux-aarch64.so.1',
    qemu: 'qemu-aarch64-static',
    triple: 'aarch64-linux-gnu',
  },
}
export const targets = Object.keys(processors)

const isOurs = (target) => target === `${process.platform}-${process.arch}`

/** Node for another processor, from npm; kept for the next time. */
function foreignNode(target) {
  const folder = inRoot('build/bare', target)
  const node = join(folder, 'package/bin/node')
  if (existsSync(node)) return node
  mkdirSync(folder, { recursive: true })
  const [major] = process.versions.node.split('.')
  const packed = [
    'pack',
    `node-${target}@${major}`,
    '--pack-destination',
    folder,
    '--loglevel=error',
  ]
  step(`fetching Node for ${target}`, 'Check the connection to the npm registry.', 'npm', packed)
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', folder])
  return node
}

/** Path of a program that is on the PATH. */
function pathOf(name, debianPackage) {
  const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' })
  if (status !== 0) stop(`${name} is missing. Debian, Ubuntu: apt-get install ${debianPackage}`)
  return stdout.trim()
}

/** What is copied: from where, and to where in the root. */
function filesFor(target) {
  const { loader, qemu, triple } = processors[target]
  const node = isOurs(target) ? realpathSync(execPath) : foreignNode(target)
  const emulator = isOurs(target) ? undefined : pathOf(qemu, 'qemu-user-static')
  // Debian's cross compiler brings the libraries, below this folder.
  const prefix = isOurs(target) ? '' : `/usr/${triple}`
  const list = [...(emulator ? [emulator] : []), prefix + loader]
  if (prefix) list.push('--library-path', `${prefix}/lib`)
  const [command, ...args] = [...list, '--list', node]
  const libraries = execFileSync(command, args, { encoding: 'utf8' }).matchAll(/=> (\/\S+)/g)
  const files = [prefix + loader, ...[...libraries].map(([, path]) => path)]
  return [
    [node, '/node'],
    ...(emulator ? [[emulator, '/qemu']] : []),
    ...files.map((path) => [path, path.slice(prefix.length)]),
  ]
}

/** Makes the root, on top of what is there; the folder of a project is already in it. */
export function furnish(root, target, { withLibraries }) {
  for (const [from, to] of filesFor(target)) {
    if (!withLibraries && !['/node', '/qemu'].includes(to)) continue
    mkdirSync(dirname(join(root, to)), { recursive: true })
    copyFileSync(realpathSync(from), join(root, to))
  }
}

/** Runs a program in the root's /project, without what the caller's environment says. */
export function runIn(root, target, program, ...args) {
  mkdirSync(join(root, 'proc'), { recursive: true })
  const isRoot = process.getuid() === 0
  const enter = ['--mount', '--pid', '--fork', ...(isRoot ? [] : ['--map-root-user'])]
  const node = isOurs(target) ? ['/node'] : ['/qemu', '/node']
  const inside = [`--root=${root}`, '--mount-proc', ...node, `/project/${program}`, ...args]
  const env = { PATH: process.env.PATH, NEUROBLAS_BACKEND: 'native' }
  const { status } = spawnSync('unshare', [...enter, ...inside], { env, stdio: 'inherit' })
  if (status !== 0) stop(`${target}: ${program} failed in there`)
}
