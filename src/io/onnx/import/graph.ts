/** The graph of a file: checked, in an order in which each node finds its inputs, or refused. */
import { DataError, spelled } from '../../../base/errors.js'
import type { GraphProto, ModelProto, TensorProto, ValueInfoProto } from '../schema.js'
import type { Constants } from './constant.js'
import { kindOf, nameOfType } from './constant.js'
import { Node } from './node.js'
import { operators } from './ops/index.js'
import type { Kind } from './value.js'

const OLDEST = 7
const NEWEST = 28

/** An input or an output of a model. */
export interface OnnxValueInfo {
  /** What the file calls it. */
  readonly name: string
  /** Of its elements: `float32`, `int64`, `string` and the like. */
  readonly dtype: string
  /** Extents: numbers, names such as `batch` that stand for any, `?` where nothing is known; undefined without a rank. */
  readonly shape: readonly (number | string)[] | undefined
}

/** The same with what is computed with. */
export interface ValueInfo extends OnnxValueInfo {
  readonly kind: Kind
}

/** A graph that can be computed. */
export interface Graph {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly initializers: ReadonlyMap<string, TensorProto>
  /** Those that the outputs need, in order. */
  readonly nodes: readonly Node[]
}

/**
 * @param file its name, for errors
 * @throws DataError for a graph that cannot be computed: what is not supported is listed, all of it
 */
export function graphOf(file: string, model: ModelProto, constants: Constants): Graph {
  const { graph } = model
  if (graph === undefined || graph.output.length === 0) {
    throw new DataError(`${file}: expected an ONNX model with a graph, found none`)
  }
  if (graph.sparseInitializer.length > 0) {
    throw new DataError(`${file}: expected no sparse initializers, which are not supported`)
  }
  const opset = opsetOf(file, model)
  const initializers = byName(file, graph)
  const inputs = graph.input.filter(({ name }) => !initializers.has(name ?? '')).map(infoOf)
  const outputs = graph.output.map(infoOf)
  const wanted = outputs.map(({ name }) => name)
  const all = graph.node.map((proto) => new Node(proto, opset, constants.read))
  const givens = new Set([...initializers.keys(), ...inputs.map(({ name }) => name)])
  const nodes = ordered(file, all, givens, wanted)
  refuseUnsupported(file, nodes)
  for (const { name, kind } of inputs) {
    if (kind !== undefined) continue
    throw new DataError(
      `${file}: expected tensors of numbers or text as inputs, got another type as ${spelled(name)}`,
    )
  }
  return { inputs: inputs as ValueInfo[], outputs: outputs as ValueInfo[], initializers, nodes }
}

function opsetOf(file: string, { opsetImport }: ModelProto): number {
  const own = opsetImport.find(({ domain = '' }) => domain === '' || domain === 'ai.onnx')
  const version = own?.version ?? (opsetImport.length > 0 ? OLDEST : 0)
  if (version >= OLDEST && version <= NEWEST) return version
  throw new DataError(
    `${file}: expected a model of opset ${OLDEST} to ${NEWEST}, got ${own ? version : 'none'}`,
  )
}

function byName(file: string, graph: GraphProto): Map<string, TensorProto> {
  const found = new Map<string, TensorProto>()
  for (const tensor of graph.initializer) {
    const name = tensor.name ?? ''
    if (found.has(name)) {
      throw new DataError(
        `${file}: expected names that differ, got two initializers ${spelled(name)}`,
      )
    }
    found.set(name, tensor)
  }
  return found
}

/** Of an input or an output what the file says. */
export function infoOf({
  name = '',
  type,
}: ValueInfoProto): OnnxValueInfo & { kind: Kind | undefined } {
  const tensor = type?.tensorType
  // What ZipMap would make maps of stays a tensor of floats here.
  if (tensor === undefined) return { name, dtype: 'float32', shape: undefined, kind: undefined }
  const shape = tensor.shape?.dim.map(({ dimValue, dimParam }) => dimValue ?? (dimParam || '?'))
  const { elemType } = tensor
  return { name, dtype: dtypeName(elemType), shape, kind: kindOf(elemType) }
}

/** What everybody may know of it. */
export function withoutKind({ name, dtype, shape }: OnnxValueInfo): OnnxValueInfo {
  return { name, dtype, shape }
}

function dtypeName(type: number | undefined): string {
  const name = nameOfType(type)
  if (name === 'float') return 'float32'
  return name === 'double' ? 'float64' : name
}

/** The nodes that some values need, each behind those that it needs itself. */
export function ordered(
  file: string,
  nodes: readonly Node[],
  givens: ReadonlySet<string>,
  wanted: readonly string[],
): Node[] {
  const makers = makersOf(file, nodes, givens)
  const order: Node[] = []
  const state = new Map<Node, 'open' | 'done'>()
  // Not by recursion: a graph may be deeper than the stack.
  const stack: { node: Node; next: number }[] = []
  const need = (name: string, by: string) => {
    if (name === '' || givens.has(name)) return
    const node = makers.get(name)
    if (node === undefined) {
      throw new DataError(
        `${file}: expected something that gives ${spelled(name)} to ${by}, found nothing`,
      )
    }
    if (state.get(node) === 'open') {
      throw new DataError(`${file}: expected no circle, got one through node ${spelled(node.name)}`)
    }
    if (state.has(node)) return
    state.set(node, 'open')
    stack.push({ node, next: 0 })
  }
  for (const name of wanted) {
    need(name, 'the outputs')
    while (stack.length > 0) {
      const top = stack[stack.length - 1]
      if (top.next < top.node.inputs.length) {
        need(top.node.inputs[top.next++], `node ${spelled(top.node.name)}`)
        continue
      }
      stack.pop()
      state.set(top.node, 'done')
      order.push(top.node)
    }
  }
  return order
}

function makersOf(
  file: string,
  nodes: readonly Node[],
  givens: ReadonlySet<string>,
): Map<string, Node> {
  const makers = new Map<string, Node>()
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === '') continue
      if (makers.has(name) || givens.has(name)) {
        throw new DataError(`${file}: expected one source of ${spelled(name)}, got two`)
      }
      makers.set(name, node)
    }
  }
  return makers
}

/** How many names of nodes are told of each problem. */
const MOST_NAMES = 3

function refuseUnsupported(file: string, nodes: readonly Node[]): void {
  const lines = unsupportedIn(nodes).map((line) => `\n  ${line}`)
  if (lines.length === 0) return
  throw new DataError(`${file}: expected operators that are supported, got${lines.join('')}`)
}

/** What of nodes cannot be computed, each with how many of them have it and their names. */
function unsupportedIn(nodes: readonly Node[]): string[] {
  const problems = new Map<string, string[]>()
  for (const node of nodes) {
    for (const problem of problemsOf(node)) {
      const names = problems.get(problem) ?? []
      names.push(node.name)
      problems.set(problem, names)
    }
  }
  return [...problems].map(([problem, names]) => {
    const shown = names.slice(0, MOST_NAMES).map(spelled).join(', ')
    const more = names.length > MOST_NAMES ? ', …' : ''
    return `${problem}: ${names.length} node${names.length > 1 ? 's' : ''} (${shown}${more})`
  })
}

function problemsOf(node: Node): string[] {
  if (!Object.hasOwn(operators, node.op)) return [spelled(node.op)]
  const { attributes = [], outputs = 1, refuse } = operators[node.op]
  const given = node.outputs.findLastIndex((name) => name !== '') + 1
  const refused = node.unread.length === 0 && refuse?.(node)
  return [
    ...[...node.settings, ...node.unread]
      .filter((name) => !attributes.includes(name) || node.unread.includes(name))
      .map((name) => `${node.op} with attribute ${spelled(name)}`),
    ...(given > outputs ? [`${node.op} with ${given} outputs`] : []),
    ...(refused ? [`${node.op} with ${refused}`] : []),
  ]
}
