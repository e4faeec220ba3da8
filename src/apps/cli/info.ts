/** `neuroblas info`: what computes on this machine. */

import { availableParallelism, cpus, totalmem } from 'node:os'
import { Command } from 'commander'
import { BackendError, getNumThreads, setBackend } from '../../index.js'
import { type AddonInfo, currentBackend, loadAddon, version } from '../../internal.js'
import { costOfCore, engineOf } from '../engine.js'
import { jsonOption } from './options.js'
import { bytes, print, table } from './table.js'

export function infoCommand(): Command {
  return new Command('info')
    .summary('show backend, engine of products, OpenBLAS, SIMD level, threads and memory')
    .description('Shows what computes on this machine.')
    .addOption(jsonOption('print one JSON object'))
    .addHelpText('after', '\nExamples:\n  neuroblas info\n  NEUROBLAS_BACKEND=js neuroblas info')
    .action(info)
}

function info({ json }: { json?: boolean }): void {
  const found = collect()
  print(json ? JSON.stringify(found) : describe(found))
}

/** The addon is asked for first, so that its absence is a row of the table and no warning. */
function collect() {
  let addon: AddonInfo | undefined
  let problem: string | null = null
  try {
    addon = loadAddon().info()
    currentBackend()
  } catch (error) {
    if (!(error instanceof BackendError) || process.env.NEUROBLAS_BACKEND === 'native') throw error
    problem = error.message
    setBackend('js')
  }
  const backend = currentBackend()
  return {
    version,
    backend: backend.name,
    problem,
    engine: addon && backend.name === 'native' ? engineOf(addon) : null,
    openblas: addon?.openblas?.trim() ?? null,
    openblasProblem: addon?.openblasProblem ?? null,
    core: addon?.core ?? null,
    openblasCost: (addon && costOfCore(addon)) ?? null,
    simd: addon?.simd ?? null,
    threads: getNumThreads(),
    openblasThreading: addon?.openblasThreading ?? null,
    openblasThreads: addon?.openblasThreads ?? null,
    memory: { ...backend.memory(), process: process.memoryUsage.rss(), machine: totalmem() },
    cpu: { model: cpus()[0]?.model ?? 'unknown', available: availableParallelism() },
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  }
}

type Found = ReturnType<typeof collect>

const withoutOpenblas = ({ openblasProblem }: Found) =>
  openblasProblem === null
    ? 'not loaded'
    : `not loaded (${openblasProblem}): the addon computes it all`

const threadsOf = ({ threads, openblasThreads, openblasThreading }: Found) =>
  `${threads} (OpenBLAS: ${openblasThreads === null ? 'not loaded' : `${openblasThreads}, ${openblasThreading}`})`

function describe(found: Found): string {
  const { memory, cpu } = found
  const rows = [
    ['neuroblas', found.version],
    ['backend', found.backend === 'js' ? 'pure JavaScript' : found.backend],
    ...(found.problem ? [['problem', found.problem]] : []),
    ['products', found.engine ?? 'pure JavaScript'],
    ['OpenBLAS', found.openblas ?? withoutOpenblas(found)],
    ['core', found.core ?? 'not loaded'],
    ...(found.openblasCost ? [['note', found.openblasCost]] : []),
    ['SIMD', found.simd ?? 'not loaded'],
    ['threads', threadsOf(found)],
    [
      'memory',
      `${bytes(memory.live)} in use, ${bytes(memory.pooled)} pooled, peak ${bytes(memory.peak)}; process ${bytes(memory.process)} of ${bytes(memory.machine)}`,
    ],
    ['processor', `${cpu.model}, ${cpu.available} available`],
    ['Node', `${found.node}, ${found.platform}`],
  ]
  return table(rows, 'll')
}
