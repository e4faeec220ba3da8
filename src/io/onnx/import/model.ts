/** A graph as a module: its weights are parameters, and its nodes are computed by the library's ops. */
import { types } from 'node:util'
import { isFloat } from '../../../backend/dtype.js'
import {
  ArgumentError,
  DataError,
  excerpt,
  NeuroblasError,
  ShapeError,
  spelled,
} from '../../../base/errors.js'
import { Module, ModuleBuffer, Parameter } from '../../../nn/module.js'
import { PARTS } from '../../../nn/walk.js'
import { tensor } from '../../../tensor/create.js'
import { noGrad } from '../../../tensor/graph.js'
import { within } from '../../../tensor/storage.js'
import { type AnyTensor, isTensor, type Tensor } from '../../../tensor/tensor.js'
import { Call } from './call.js'
import { type Constant, encodeTexts, toValue, whole } from './constant.js'
import { type Graph, type OnnxValueInfo, ordered, type ValueInfo, withoutKind } from './graph.js'
import type { Node } from './node.js'
import { operators } from './ops/index.js'
import { weightOrder } from './ops/windows.js'
import { Value } from './value.js'
import { weightsOf } from './weights.js'

/**
 * What a model takes as one of its inputs: a tensor; a list of texts, one for each row, or a list of them for each
 * row; or whole numbers that int32 does not hold, such as times in milliseconds, one for each row.
 */
export type OnnxInput =
  | AnyTensor
  | readonly string[]
  | readonly (readonly string[])[]
  | readonly number[]
  | BigInt64Array

/** A weight, with its axes in the order that it is computed in. */
interface Weight {
  readonly parameter: Parameter
  readonly axes: readonly number[] | undefined
}

/**
 * A model that `loadOnnx` read. What the file's nodes multiply by, add or look up are its parameters, under
 * the names that the file gives them; other constants of floats are its buffers. Normalization is by the
 * moments of the file, and nothing is dropped out, also while it is trained.
 */
export class OnnxModel<Inputs extends readonly OnnxInput[] = [x: Tensor]> extends Module<
  Inputs,
  Tensor
> {
  /** What it takes, in the order of `forward`. */
  readonly inputs: readonly OnnxValueInfo[]
  /** What it can give. */
  readonly outputs: readonly OnnxValueInfo[]
  /** Text that the file keeps beside the graph. */
  readonly metadata: Readonly<Record<string, string>>
  readonly #file: string
  readonly #graph: Graph
  readonly #output: ValueInfo
  readonly #weights = new Map<string, Weight>()
  readonly #constants = new Map<string, Value>()
  readonly #buffers = new Map<string, ModuleBuffer>()
  readonly #plans = new Map<string, Node[]>()

  /** @internal */
  constructor(
    file: string,
    graph: Graph,
    metadata: Readonly<Record<string, string>>,
    read: (name: string) => Constant,
    output: string | undefined,
  ) {
    super()
    this.#file = file
    this.#graph = graph
    this.inputs = graph.inputs.map(withoutKind)
    this.outputs = graph.outputs.map(withoutKind)
    this.metadata = metadata
    this.#output = this.#chosen(output)
    noGrad(() => this.#readConstants(read))
    this.eval()
  }

  #chosen(name: string | undefined): ValueInfo {
    const { outputs } = this.#graph
    if (name === undefined)
      return outputs.find(({ dtype }) => dtype.startsWith('float')) ?? outputs[0]
    const found = outputs.find((info) => info.name === name)
    if (found !== undefined) return found
    throw new ArgumentError(
      `loadOnnx: expected an output among ${outputs.map(({ name }) => name).join(', ')}, got ${spelled(name)}`,
    )
  }

  /** Initializers become weights or constants; what only depends on these is computed now. */
  #readConstants(read: (name: string) => Constant): void {
    const { initializers, nodes } = this.#graph
    const { weights, filters } = weightsOf(this.#graph)
    const used = new Set(nodes.flatMap(({ inputs }) => inputs))
    for (const { name } of this.#graph.outputs) used.add(name)
    for (const name of initializers.keys()) {
      if (!used.has(name)) continue
      const constant = read(name)
      const isWeight = weights.has(name) && constant.kind === 'float' && constant.shape.length > 0
      if (isWeight) this.#weights.set(name, weightOf(constant, filters.has(name)))
      else within(null, () => this.#constants.set(name, toValue(constant)))
    }
    for (const node of nodes) {
      if (!node.inputs.every((name) => name === '' || this.#constants.has(name))) continue
      within(null, () => this.#compute(node, this.#constants))
    }
    for (const [name, value] of this.#constants) {
      if (value.kind !== 'float' || value.size < 2 || !used.has(name)) continue
      const buffer = new ModuleBuffer(value.device)
      this.#buffers.set(name, buffer)
      const kept = value.isHost
        ? new Value('float', value.physical, value.axes, undefined, buffer)
        : new Value('float', buffer)
      this.#constants.set(name, kept)
    }
  }

  /** What a walk finds in it. @internal */
  [PARTS](): Iterable<readonly [string, Parameter | ModuleBuffer]> {
    const weights = [...this.#weights].map(([name, { parameter }]) => [name, parameter] as const)
    return [...weights, ...this.#buffers]
  }

  /**
   * One output: that which `loadOnnx` was told, else the first of floats.
   * @param inputs one for each of `inputs`, in their order; of integers int32
   * @throws ShapeError and ArgumentError for inputs that are not as the file says, DataError for a node that
   *   cannot be computed, which names it; CaptureError in a captured function where a shape depends on values
   */
  forward(...inputs: Inputs): Tensor {
    if (inputs.length !== this.inputs.length) {
      const names = this.inputs.map(({ name }) => name).join(', ')
      throw new ArgumentError(
        `OnnxModel: expected ${this.inputs.length} inputs (${names}), got ${inputs.length}`,
      )
    }
    const [value] = this.#evaluate(inputs, [this.#output.name])
    if (value.kind !== 'text') return value.device as Tensor
    throw new ArgumentError(
      `OnnxModel: expected an output of numbers, got ${this.#output.name} of text; run() gives it, and loadOnnx takes another \`output\``,
    )
  }

  /**
   * All outputs by their names, as onnxruntime gives them; text as a list.
   * @param inputs by their names
   * @throws as `forward`
   * @example const { label, probabilities } = model.run({ x })
   */
  run(inputs: Readonly<Record<string, OnnxInput>>): Record<string, AnyTensor | string[]> {
    const names = this.inputs.map(({ name }) => name)
    const other = Object.keys(inputs).find((name) => !names.includes(name))
    const missing = names.find((name) => inputs[name] === undefined)
    if (other !== undefined || missing !== undefined) {
      throw new ArgumentError(
        `run: expected inputs ${names.join(', ')}, got ${missing === undefined ? spelled(other) : `no ${missing}`}`,
      )
    }
    const wanted = this.outputs.map(({ name }) => name)
    const values = this.#evaluate(
      names.map((name) => inputs[name]),
      wanted,
    )
    return Object.fromEntries(
      values.map((value, i) => [wanted[i], value.kind === 'text' ? value.texts : value.device]),
    )
  }

  #evaluate(inputs: readonly OnnxInput[], wanted: readonly string[]): Value[] {
    const values = new Map<string, Value>()
    for (const [name, value] of this.#constants) values.set(name, value.again)
    for (const [name, { parameter, axes }] of this.#weights) {
      values.set(name, new Value('float', parameter, axes))
    }
    for (const [i, info] of this.#graph.inputs.entries())
      values.set(info.name, inputOf(info, inputs[i]))
    for (const node of this.#planFor(wanted)) this.#compute(node, values)
    return wanted.map((name) => values.get(name)!)
  }

  #planFor(wanted: readonly string[]): readonly Node[] {
    const key = wanted.join('\n')
    const known = this.#plans.get(key)
    if (known !== undefined) return known
    const { inputs, nodes, initializers } = this.#graph
    const givens = new Set([...initializers.keys(), ...inputs.map(({ name }) => name)])
    const isKnown = ({ outputs }: Node) =>
      outputs.every((name) => name === '' || this.#constants.has(name))
    const plan = ordered(this.#file, nodes, givens, wanted).filter((node) => !isKnown(node))
    this.#plans.set(key, plan)
    return plan
  }

  #compute(node: Node, values: Map<string, Value>): void {
    try {
      const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)))
      const result = operators[node.op].run(new Call(node, inputs))
      const results = result instanceof Value ? [result] : result
      for (const [i, name] of node.outputs.entries()) {
        if (name === '') continue
        if (results[i] === undefined)
          throw new DataError(`expected ${results.length} outputs, got one more`)
        values.set(name, results[i])
      }
    } catch (error) {
      throw this.#failed(node, error)
    }
  }

  /** The error of a node, which it names. */
  #failed({ op, name }: Node, error: unknown): unknown {
    const where = `${this.#file}: node ${spelled(name)} (${op})`
    if (!(error instanceof NeuroblasError)) {
      return new DataError(
        `${where}: expected inputs and attributes that fit, got ${excerpt(error)}`,
        { cause: error },
      )
    }
    error.message = `${where}: ${error.message}`
    return error
  }
}

/** Filters are kept as convolutions here take them; what has one axis is a bias, which is not regularized. */
function weightOf({ values, shape }: Constant, isFilter: boolean): Weight {
  const axes = isFilter && shape.length > 2 ? weightOrder(shape.length) : undefined
  const given = tensor(values as Float32Array, shape, 'float32')
  const elements = axes === undefined ? given : given.transpose(axes)
  if (elements !== given) given.dispose()
  return { parameter: new Parameter(elements, { regularized: shape.length > 1 }), axes }
}

/** An input as the file has it. */
function inputOf({ name, kind, dtype, shape }: ValueInfo, given: OnnxInput): Value {
  if (kind === 'text') return textInput(name, given, shape)
  if (kind === 'int' && isListOfWhole(given)) {
    return Value.of(
      kind,
      whole(`input ${name}`, Array.from(given, Number), ArgumentError),
      rowsOf(given.length, shape),
    )
  }
  if (!isTensor(given)) {
    throw new ArgumentError(`OnnxModel: expected a tensor as input ${name}, got ${excerpt(given)}`)
  }
  const isOfKind = kind === 'float' ? isFloat(given.dtype) : true
  if (!isOfKind) {
    throw new ArgumentError(
      `OnnxModel: expected ${dtype} as input ${name}, got ${given.dtype}; cast('float32') converts it`,
    )
  }
  checkExtents(name, given.shape, shape)
  return new Value(kind, given)
}

/** @throws ShapeError for extents that the file says to be others */
function checkExtents(name: string, found: readonly number[], shape: ValueInfo['shape']): void {
  const fits = (extent: number, axis: number) =>
    typeof shape?.[axis] !== 'number' || shape[axis] === extent
  if (shape !== undefined && (found.length !== shape.length || !found.every(fits))) {
    throw new ShapeError(
      `OnnxModel: expected input ${name} of shape [${shape.join(', ')}], got [${found.join(', ')}]`,
    )
  }
}

/** A text for each row, or as many for each as the last axis has. */
function textInput(name: string, given: OnnxInput, shape: ValueInfo['shape']): Value {
  const rows: unknown[][] = Array.isArray(given) ? given.map((row) => [row].flat()) : []
  const width = rows[0]?.length ?? 1
  const isText = (value: unknown): value is string => typeof value === 'string'
  if (!Array.isArray(given) || !rows.every((row) => row.length === width && row.every(isText))) {
    throw new ArgumentError(
      `OnnxModel: expected a list of texts as input ${name}, or one for each row, got ${excerpt(given)}`,
    )
  }
  const extents = rowsOf(rows.length, shape)
  if (extents.length > 1 || width !== 1) extents[Math.max(1, extents.length - 1)] = width
  checkExtents(name, extents, shape)
  const { values, vocabulary } = encodeTexts(rows.flat().filter(isText))
  return new Value('text', tensor(values, extents, 'int32'), undefined, vocabulary)
}

/** The shape of a list that has one element for each row. */
const rowsOf = (count: number, shape: ValueInfo['shape']) => [
  count,
  ...Array(Math.max(0, (shape?.length ?? 1) - 1)).fill(1),
]

function isListOfWhole(given: OnnxInput): given is readonly number[] | BigInt64Array {
  if (types.isBigInt64Array(given)) return true
  return Array.isArray(given) && given.every((value) => Number.isSafeInteger(value))
}
