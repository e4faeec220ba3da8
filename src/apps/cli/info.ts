/** `neuroblas info`: what computes on this machine, or what a model file holds. */

import { availableParallelism, cpus, totalmem } from 'node:os'
import { Command } from 'commander'
import { BackendError, getNumThreads, setBackend } from '../../index.js'
import {
  type AddonInfo,
  count,
  currentBackend,
  loadAddon,
  type OnnxFile,
  readModelHeader,
  readOnnxFile,
  version,
} from '../../internal.js'
import { costOfCore, engineOf } from '../engine.js'
import { jsonOption } from './options.js'
import { bytes, print, table } from './table.js'

const help = `
Examples:
  neuroblas info
  NEUROBLAS_BACKEND=js neuroblas info
  neuroblas info iris.safetensors
  neuroblas info iris.onnx`

export function infoCommand(): Command {
  return new Command('info')
    .summary(
      'show backend, engine of products, OpenBLAS, SIMD level, threads and memory, or a model file',
    )
    .description('Shows what computes on this machine, or what is in a model file.')
    .argument(
      '[model]',
      'a .safetensors file, the index of a set of them, a folder that holds one, or a .onnx file',
    )
    .addOption(jsonOption('print one JSON object'))
    .addHelpText('after', help)
    .action(info)
}

function info(model: string | undefined, { json }: { json?: boolean }): void {
  if (model?.endsWith('.onnx')) {
    const file = readOnnxFile(model)
    print(json ? JSON.stringify({ path: model, ...file }) : describeOnnx(model, file))
    return
  }
  if (model !== undefined) {
    const content = contentOf(model)
    print(json ? JSON.stringify(content) : describeModel(content))
    return
  }
  const found = collect()
  print(json ? JSON.stringify(found) : describe(found))
}

/** Of the headers alone: no value is read. */
function contentOf(path: string) {
  const { tensors: located, metadata } = readModelHeader(path)
  const tensors = Array.from(located.values(), ({ name, dtype, shape, begin, end }) => ({
    name,
    dtype,
    shape,
    bytes: end - begin,
  }))
  const values = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const total = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
  return { path, tensors, values, bytes: total, metadata }
}

function describeModel({ path, tensors, values, bytes: total, metadata }: Content): string {
  const rows = tensors.map(({ name, dtype, shape, bytes: size }) => [
    inLine(name),
    dtype,
    `[${shape.join(', ')}]`,
    bytes(size),
  ])
  const text = Object.entries(metadata).map((entry) => entry.map(inLine))
  return [
    `${path}: ${count(tensors.length)} tensors of ${count(values)} values, ${bytes(total)}`,
    ...(rows.length > 0 ? [table(rows, 'lllr')] : []),
    ...(text.length > 0 ? [table(text, 'll')] : []),
  ].join('\n\n')
}

function describeOnnx(path: string, file: OnnxFile): string {
  const { producer, opsets, inputs, outputs, operators, values, metadata } = file
  const versions = Object.entries(opsets).map(([domain, version]) => `${inLine(domain)} ${version}`)
  const ends = [
    ...inputs.map((info) => ['input', ...wordsOf(info)]),
    ...outputs.map((info) => ['output', ...wordsOf(info)]),
  ]
  const nodes = Object.entries(operators).map(([name, times]) => [inLine(name), count(times)])
  const text = Object.entries(metadata).map((entry) => entry.map(inLine))
  return [
    `${path}: ONNX of ${inLine(producer) || 'unknown origin'}, ${versions.join(', ')}; ${count(values)} values`,
    ...(ends.length > 0 ? [table(ends, 'llll')] : []),
    ...(nodes.length > 0 ? [table(nodes, 'lr')] : []),
    ...(text.length > 0 ? [table(text, 'll')] : []),
  ].join('\n\n')
}

const wordsOf = ({ name, dtype, shape }: OnnxFile['inputs'][number]) => [
  inLine(name),
  dtype,
  shape === undefined ? 'of any shape' : inLine(`[${shape.join(', ')}]`),
]

/** Of text from a file, as it may stand in a row. */
const inLine = (text: string) =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text).slice(1, -1)

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
type Content = ReturnType<typeof contentOf>

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
