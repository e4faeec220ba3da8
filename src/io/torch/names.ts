/** The names that PyTorch gives to what a model here holds. */
import { BatchNorm } from '../../nn/batchNorm.js'
import { type AnyModule, isModule, type ModuleBuffer, type Parameter } from '../../nn/module.js'
import { Sequential } from '../../nn/sequential.js'
import { ChannelsLast } from '../../nn/shapes.js'
import { allPathsOf } from '../../nn/walk.js'
import { type Turn, turnOf } from './axes.js'

/** A tensor of a model, once for every path that leads to it. */
export interface Slot {
  /** Here. */
  readonly path: string
  /** In PyTorch. */
  readonly name: string
  readonly tensor: Parameter | ModuleBuffer
  /** The module that holds it. */
  readonly layer: AnyModule
  readonly turn: Turn | undefined
}

const RUNNING: Readonly<Record<string, string>> = {
  runningMean: 'running_mean',
  runningVar: 'running_var',
}
/** How many batches PyTorch's batch norm has seen, which nothing here depends on. */
const COUNT = 'num_batches_tracked'

/** `a.b`, of which either may be empty. */
export const joined = (prefix: string, name: string): string =>
  prefix === '' || name === '' ? prefix + name : `${prefix}.${name}`

/** Whether a name is this prefix, or goes on behind it with a dot. */
export const isUnder = (name: string, prefix: string): boolean =>
  prefix === '' || name === prefix || name.startsWith(`${prefix}.`)

/** The names of a model's tensors in PyTorch. */
export class TorchNames {
  readonly slots: readonly Slot[]
  /** Names that PyTorch's batch norms have for a count of batches. */
  readonly counts: readonly string[]
  readonly #modules: ReadonlyMap<string, AnyModule>
  readonly #found: readonly string[]
  /** By the path of a `Sequential`. */
  readonly #numbers = new Map<string, readonly number[]>()

  /**
   * @param found names that are looked for: the layers of a `Sequential` get the numbers that are found there,
   *   where these are as many as there are layers with tensors
   */
  constructor(
    readonly model: AnyModule,
    found: readonly string[] = [],
  ) {
    this.#found = found
    const modules = [...allPathsOf(model)].flatMap(([path, part]) =>
      isModule(part) ? [[path, part as AnyModule] as const] : [],
    )
    this.#modules = new Map([['', model], ...modules])
    this.slots = Array.from(model.allState(), ([path, tensor]) => {
      const [layer, name] = this.#holderOf(path)
      return { path, name: this.nameOf(path), tensor, layer, turn: turnOf(layer, name) }
    })
    this.counts = [...this.#modules].flatMap(([path, module]) =>
      module instanceof BatchNorm ? [joined(this.nameOf(path), COUNT)] : [],
    )
  }

  /** All of them. */
  get names(): readonly string[] {
    return [...this.slots.map(({ name }) => name), ...this.counts]
  }

  /** Whether it is a path here, of a module or of a tensor. */
  has(path: string): boolean {
    return this.#modules.has(path) || this.slots.some((slot) => slot.path === path)
  }

  /** The module that has a tensor, and its name there. */
  #holderOf(path: string): [layer: AnyModule, name: string] {
    for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
      const module = this.#modules.get(path.slice(0, end))
      if (module) return [module, path.slice(end + 1)]
    }
    return [this.model, path]
  }

  /**
   * What PyTorch calls the module or tensor at a path here: a `Sequential` has its layers right below it, and
   * a batch norm its own names for the running moments.
   */
  nameOf(path: string): string {
    const parts = path === '' ? [] : path.split('.')
    let name = ''
    for (let i = 0; i < parts.length; i++) {
      const above = parts.slice(0, i).join('.')
      const module = this.#modules.get(above)
      const isLayer = module instanceof Sequential && parts[i] === 'layers' && i + 1 < parts.length
      if (isLayer)
        name = joined(name, `${this.#numbersOf(module, above, name)[Number(parts[++i])]}`)
      else if (module instanceof BatchNorm) name = joined(name, RUNNING[parts[i]] ?? parts[i])
      else name = joined(name, parts[i])
    }
    return name
  }

  /** The numbers that PyTorch gives to the layers of a `Sequential`, which it calls `prefix`. */
  #numbersOf({ layers }: Sequential, path: string, prefix: string): readonly number[] {
    let numbers = this.#numbers.get(path)
    if (numbers === undefined) {
      this.#numbers.set(path, (numbers = numbersOf(layers, numbersIn(prefix, this.#found))))
    }
    return numbers
  }
}

/** Numbers for layers, where these were found for those that have tensors. */
function numbersOf(layers: readonly AnyModule[], found: readonly number[]): number[] {
  let next = 0
  // The only layer that PyTorch never has.
  const numbers = layers.map((layer) => (layer instanceof ChannelsLast ? next : next++))
  const own = layers.flatMap((layer, i) => (layer.namedState().size > 0 ? [i] : []))
  if (found.length === own.length) for (const [i, layer] of own.entries()) numbers[layer] = found[i]
  return numbers
}

/** The numbers right below a prefix, in order. */
function numbersIn(prefix: string, names: readonly string[]): number[] {
  const start = prefix === '' ? '' : `${prefix}.`
  const below = names
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length))
  const numbers = below.flatMap((name) => /^(0|[1-9]\d*)\./.exec(name)?.[1] ?? [])
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b)
}
