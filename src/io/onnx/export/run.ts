/** One run of a model, written down op by op: which values it was computed from, and how. */
import type { DType, TypedArray } from '../../../backend/dtype.js'
import { ArgumentError } from '../../../base/errors.js'
import { listenToOps, type OpCall } from '../../../ops/define.js'
import { format, type Shape } from '../../../tensor/shape.js'
import type { Storage } from '../../../tensor/storage.js'
import type { AnyTensor } from '../../../tensor/tensor.js'

/** A tensor that was there, or was computed: what others name by its position among all of them. */
export interface Seen {
  readonly shape: Shape
  readonly dtype: DType
  /** Where it came from. */
  readonly from: Input | Constant | Call
  /** The module in whose forward pass it was seen first; '' for the model itself. */
  readonly path: string
}

interface Input {
  readonly kind: 'input'
}

/** A tensor that no input has a part in. */
export interface Constant {
  readonly kind: 'constant'
  /** Where it is in the state of the model, or what it was made from is. */
  readonly name?: string
  readonly data: TypedArray
}

/** A call of an op. */
export interface Call {
  readonly kind: 'call'
  readonly op: string
  /** Positions of its inputs. */
  readonly inputs: readonly number[]
  readonly attributes: unknown
}

/** A tensor of the model's state, by its path. */
export interface StateTensor extends Constant {
  /** As it was before the run. */
  readonly version: number
}

/** What is told of a run. */
export interface Run {
  readonly seen: readonly Seen[]
  /** Positions of the outputs. */
  readonly outputs: readonly number[]
}

/**
 * Runs a model and writes down its ops.
 * @param state of the model, by its buffers
 * @param pathOf says which module is running
 * @throws ArgumentError where the model overwrites a tensor
 */
export function runOf(
  inputs: readonly AnyTensor[],
  state: ReadonlyMap<Storage, StateTensor>,
  pathOf: () => string,
  forward: () => readonly AnyTensor[],
): Run {
  const recorder = new Recorder(state, pathOf)
  for (const x of inputs) recorder.add(x, { kind: 'input' })
  const outputs = listenToOps((call) => recorder.hear(call), forward)
  return { seen: recorder.seen, outputs: outputs.map((y) => recorder.positionOf(y)) }
}

class Recorder {
  readonly seen: Seen[] = []
  /** By buffer, for each shape in which it was seen; the version tells whether it was overwritten since. */
  readonly #positions = new Map<Storage, { version: number; at: Map<string, number> }>()

  constructor(
    readonly state: ReadonlyMap<Storage, StateTensor>,
    readonly pathOf: () => string,
  ) {}

  add({ storage, shape, dtype }: AnyTensor, from: Seen['from']): number {
    const position = this.seen.length
    this.seen.push({ shape, dtype, from, path: this.pathOf() })
    const { version } = this.state.get(storage) ?? storage
    const known = this.#positions.get(storage) ?? { version, at: new Map() }
    known.at.set(format(shape), position)
    this.#positions.set(storage, known)
    return position
  }

  hear({ name: op, inputs, attributes, result }: OpCall): void {
    const positions = inputs.map((x) => this.positionOf(x))
    const parts = positions.map((position) => this.seen[position])
    // What no input has a part in is computed now, but not what only repeats it.
    const size = parts.reduce((sum, { from }) => sum + sizeOfConstant(from), 0)
    const isConstant = parts.every(({ from }) => from.kind === 'constant') && result.size <= size
    if (isConstant) this.add(result, constantOf(result, nameIn(parts)))
    else this.add(result, { kind: 'call', op, inputs: positions, attributes })
  }

  positionOf(x: AnyTensor): number {
    const known = this.#positions.get(x.storage) ?? this.state.get(x.storage)
    if (known === undefined) return this.add(x, constantOf(x))
    if (known.version !== x.storage.version) {
      throw new ArgumentError(
        `exportOnnx: ${where(this.pathOf())}expected a forward pass that leaves its tensors as they are, got one that overwrites ${format(x.shape)}`,
      )
    }
    if ('kind' in known) return this.add(x, known)
    const found = known.at.get(format(x.shape))
    if (found !== undefined) return found
    // A view that no op made.
    const [first] = known.at.values()
    const { from } = this.seen[first]
    if (from.kind === 'constant') return this.add(x, from)
    const attributes = { shape: x.shape }
    return this.add(x, { kind: 'call', op: 'reshape', inputs: [first], attributes })
  }
}

const sizeOfConstant = (from: Seen['from']) => (from.kind === 'constant' ? from.data.length : 0)

function constantOf(x: AnyTensor, name?: string): Constant {
  return { kind: 'constant', ...(name !== undefined && { name }), data: x.data() }
}

function nameIn(parts: readonly Seen[]): string | undefined {
  for (const { from } of parts) {
    if (from.kind === 'constant' && from.name !== undefined) return from.name
  }
  return undefined
}

/** How an error names a module. */
export function where(path: string): string {
  return path === '' ? '' : `${path}: `
}
