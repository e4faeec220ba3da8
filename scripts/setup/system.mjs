// What must be on the machine before npm can do its part: Node, a C++ compiler, OpenBLAS.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, say, step, stop } from './run.mjs'

const compiler = process.env.CXX || 'g++'

// What is missing -> the name of its package for apt, dnf and brew.
const packages = {
  compiler: { apt: 'g++', dnf: 'gcc-c++' },
  make: { apt: 'make', dnf: 'make' },
  python3: { apt: 'python3', dnf: 'python3', brew: 'python3' },
  'pkg-config': { apt: 'pkg-config', dnf: 'pkgconf-pkg-config', brew: 'pkg-config' },
  OpenBLAS: { apt: 'libopenblas-dev', dnf: 'openblas-devel', brew: 'openblas' },
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return
  stop(`Node ${process.versions.node} cannot run neuroblas, which needs ^20.19 or >=22.12.`)
}

function isCommand(name) {
  if (name.includes('/')) return isExecutable(name)
  return (process.env.PATH ?? '').split(delimiter).some((dir) => isExecutable(join(dir, name)))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function openblasVersion() {
  const { ok, output } = run('pkg-config', ['--modversion', 'openblas'])
  return ok ? output : undefined
}

function findMissing() {
  const missing = ['make', 'python3', 'pkg-config'].filter((name) => !isCommand(name))
  // CXX may be a command with arguments, such as "ccache g++".
  if (!isCommand(compiler.split(' ')[0])) missing.unshift('compiler')
  const openblas = openblasVersion()
  if (!openblas) missing.push('OpenBLAS')
  return { missing, openblas }
}

const namesFor = (tool, missing) => missing.flatMap((item) => packages[item][tool] ?? [])

function adviceFor(missing) {
  const lines = [
    `missing on this machine: ${missing.join(', ').replace('compiler', `C++ compiler (${compiler})`)}. Install with`,
    `  Debian, Ubuntu: sudo apt-get install -y ${namesFor('apt', missing).join(' ')}`,
    `  Fedora, RHEL:   sudo dnf install -y ${namesFor('dnf', missing).join(' ')}`,
  ]
  const brew = namesFor('brew', missing)
  const mac = []
  if (missing.includes('compiler') || missing.includes('make')) mac.push('xcode-select --install')
  if (brew.length > 0) mac.push(`brew install ${brew.join(' ')}`)
  if (missing.includes('OpenBLAS')) {
    mac.push('export PKG_CONFIG_PATH="$(brew --prefix openblas)/lib/pkgconfig"')
  }
  return [
    ...lines,
    `  macOS:          ${mac.join(' && ')}`,
    'and run the same command again.',
  ].join('\n')
}

function aptInstall(names) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const apt = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y']
  // Old package lists may still do, so a failed update alone is no reason to stop.
  say('apt-get update ...')
  if (!run('apt-get', [...apt, 'update'], env).ok)
    say('apt-get update failed, going on with the old lists')
  const advice = `Install ${names.join(' ')} and run the same command again.`
  const args = [...apt, 'install', '--no-install-recommends', ...names]
  step(`apt-get install ${names.join(' ')}`, advice, 'apt-get', args, env)
}

/** Sees to the system packages, or ends with the commands to type; returns OpenBLAS's version. */
export function ensureSystem() {
  let { missing, openblas } = findMissing()
  if (missing.length > 0 && process.getuid?.() === 0 && isCommand('apt-get')) {
    aptInstall(namesFor('apt', missing))
    ;({ missing, openblas } = findMissing())
  }
  if (missing.length > 0) stop(adviceFor(missing))
  return openblas
}
