// One prebuilt binary: the addon's objects linked so that they load on any Linux that Node's own
// binaries run on, and the proof that they do.
import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { inRoot, run, step, stop } from '../setup/run.mjs'
import { needsTooMuch } from './needs.mjs'

const glibcSource = 'scripts/prebuilds/glibc.c'

/** The names of glibc.c that calls are led to. */
function wrapped() {
  const names = readFileSync(inRoot(glibcSource), 'utf8').matchAll(
    /^WRAP\(.*?, (\w+)|^int __wrap_(\w+)/gm,
  )
  return [...names].map(([, macro, plain]) => macro ?? plain)
}

/**
 * @param triple GNU's name of the machine, before the names of its tools
 * @param objects the addon's, compiled for it
 * @param folder for what is made on the way
 * @param output where the binary goes once it is known to be right
 */
export function link(triple, objects, folder, output) {
  const advice = 'If the C++ library is what is missing, install it in its static form.'
  const shim = `${folder}/glibc.o`
  const linked = `${folder}/neuroblas.node`
  step(`compiling ${basename(glibcSource)} for ${triple}`, '', `${triple}-gcc`, [
    ...['-c', '-O2', '-fPIC', '-fvisibility=hidden', '-ffunction-sections', '-Wall', '-Wextra'],
    ...[glibcSource, '-o', shim],
  ])
  step(`linking ${output}`, advice, `${triple}-g++`, [
    // The unwinder is Node's own, libgcc_s: a static one would ask for glibc 2.35.
    ...['-shared', '-pthread', '-static-libstdc++', '-s', '-o', linked],
    ...['-Wl,-z,now', '-Wl,--gc-sections', '-Wl,--as-needed'],
    // Nothing of it is found by others, not even the C++ library that is in it.
    '-Wl,--version-script=scripts/prebuilds/exports.map',
    ...wrapped().map((name) => `-Wl,--wrap=${name}`),
    ...[...objects, shim, '-ldl'],
  ])
  const problems = needsTooMuch(run(`${triple}-objdump`, ['-p', '-T', linked]).output)
  if (problems.length > 0) {
    stop(`${output} would not load everywhere: ${problems.join(', ')}; see ${glibcSource}`)
  }
  mkdirSync(inRoot(dirname(output)), { recursive: true })
  renameSync(inRoot(linked), inRoot(output))
}
