// What is to be on the machine before npm can do its part: Node, a C++ compiler, and OpenBLAS, without
// which there is less to compare with.
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, say, step, stop } from './run.mjs'

const compiler = process.env.CXX || 'g++'

// What is missing -> the name of its package for apt, dnf and brew.
const packages = {
  compiler: { apt: 'g++', dnf: 'gcc-c++' },
  make: { apt: 'make', dnf: 'make' },
  python3: { apt: 'python3', dnf: 'python3', brew: 'python3' },
  OpenBLAS: { apt: 'libopenblas0', dnf: 'openblas', brew: 'openblas' },
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

/** Whether it is where the addon looks for it; see native/gemm/openblas.cc. */
function hasOpenblas() {
  if (process.platform === 'darwin') {
    return ['/opt/homebrew', '/usr/local'].some((prefix) =>
      existsSync(`${prefix}/opt/openblas/lib`),
    )
  }
  return run('/sbin/ldconfig', ['-p']).output.includes('libopenblas.so.0')
}

function findMissing() {
  const missing = ['make', 'python3'].filter((name) => !isCommand(name))
  // CXX may be a command with arguments, such as "ccache g++".
  if (!isCommand(compiler.split(' ')[0])) missing.unshift('compiler')
  return missing
}

const namesFor = (tool, missing) => missing.flatMap((item) => packages[item][tool] ?? [])

function adviceFor(missing) {
  const lines = [
    `missing on this machine: ${missing.join(', ').replace('compiler', `C++ compiler (${compiler})`)}. Install with`,
    `  Debian, Ubuntu: sudo apt-get install -y ${namesFor('apt', missing).join(' ')}`,
    `  Fedora, RHEL:   sudo dnf install -y ${namesFor('dnf', missing).join(' ')}`,
  ]
  const mac = missing.some((item) => item === 'compiler' || item === 'make')
    ? ['xcode-select --install']
    : []
  const brew = namesFor('brew', missing)
  if (brew.length > 0) mac.push(`brew install ${brew.join(' ')}`)
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

const canInstall = () => process.getuid?.() === 0 && isCommand('apt-get')

/** Sees to the system packages, or ends with the commands to type. */
export function ensureSystem() {
  if (canInstall()) {
    const missing = [...findMissing(), ...(hasOpenblas() ? [] : ['OpenBLAS'])]
    if (missing.length > 0) aptInstall(namesFor('apt', missing))
  }
  const missing = findMissing()
  if (missing.length > 0) stop(adviceFor(missing))
}

/** Says how to install OpenBLAS, where it is not there. */
export function adviseOpenblas() {
  if (!hasOpenblas())
    say(`everything works without OpenBLAS, some of it slower; ${adviceFor(['OpenBLAS'])}`)
}

/** Sees to a compiler for another machine, or ends with what to install. */
export function ensureCrossCompiler(command, debianPackage) {
  if (!isCommand(command) && canInstall()) aptInstall([debianPackage])
  if (!isCommand(command)) {
    stop(`${command} is missing. Debian, Ubuntu: sudo apt-get install -y ${debianPackage}`)
  }
}
