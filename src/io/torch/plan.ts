/** What becomes of each tensor between a state of PyTorch's and a model: planned, before anything is changed. */
import { ArgumentError, ShapeError } from '../../base/errors.js'
import { ConvLayer } from '../../nn/conv.js'
import { Linear } from '../../nn/linear.js'
import type { AnyModule } from '../../nn/module.js'
import { GlobalAvgPool2d, GlobalMaxPool2d } from '../../nn/pool.js'
import { Flatten } from '../../nn/shapes.js'
import { format, type Shape, sameShape } from '../../tensor/shape.js'
import { permuted, shapeIn } from './axes.js'
import { type Slot, TorchNames } from './names.js'
import { namedAsHere, type TorchRename } from './rename.js'

/** One tensor of a `TorchPlan`. */
export interface TorchEntry {
  /** In PyTorch. */
  readonly torch: {
    /** As it is in the file. */
    readonly name: string
    /** Extents of the axes there. */
    readonly shape: Shape
  }
  /** Here; null of a count of batches, which nothing here depends on. */
  readonly own: {
    /** Such as `layers.0.weight`. */
    readonly path: string
    /** Extents of the axes here. */
    readonly shape: Shape
  } | null
  /** `as is`, `transposed`, how axes move, such as `OIHW → HWIO`, or why it is left out. */
  readonly change: string
}

/** How the tensors of a file of PyTorch's and those of a model go together; `String(plan)` is a table of it. */
export class TorchPlan {
  /** A plan, as `loadTorch` returns it. @internal */
  constructor(
    /** What goes together, in the order of the model. */
    readonly entries: readonly TorchEntry[],
    /** Paths of the model that the file has no values for. */
    readonly missing: readonly string[],
    /** Names of the file that the model has no place for. */
    readonly unexpected: readonly string[],
    /** What shapes do not show: layers that give their outputs in another order than PyTorch's. */
    readonly notes: readonly string[],
  ) {}

  /** A line for each tensor: both names and shapes, and what is done; then what is left over. */
  toString(): string {
    const rows = this.entries.map(({ torch, own, change }) => [
      torch.name,
      format(torch.shape),
      '→',
      own?.path ?? '-',
      own === null ? '' : format(own.shape),
      change,
    ])
    const widths = [0, 1, 2, 3, 4].map((column) =>
      rows.reduce((most, row) => Math.max(most, row[column].length), 0),
    )
    return [
      ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')),
      ...this.missing.map((path) => `missing: ${path}`),
      ...this.unexpected.map((name) => `unexpected: ${name}`),
      ...this.notes.map((note) => `note: ${note}`),
    ].join('\n')
  }
}

export interface Values {
  readonly shape: Shape
  readonly data: ArrayLike<number>
}

/** What is read of a state of PyTorch's. */
export interface Matched<V extends Values> {
  readonly plan: TorchPlan
  /** Values by the paths of the model, with their axes as they are here. */
  readonly values: ReadonlyMap<string, V>
  /** The first that does not fit, as a sentence. */
  readonly wrong: string | undefined
}

/** Finds the tensors of a model in a state of PyTorch's. */
export function matchTorch<V extends Values>(
  op: string,
  model: AnyModule,
  state: ReadonlyMap<string, V>,
  rename?: TorchRename,
): Matched<V> {
  const given = namedAsHere(op, new TorchNames(model), [...state.keys()], rename)
  const { slots, counts } = new TorchNames(model, [...given.keys()])
  const entries: TorchEntry[] = []
  const values = new Map<string, V>()
  /** The path that a state here has of each tensor: the first. */
  const pathOf = new Map(Array.from(model.namedState(), ([path, tensor]) => [tensor, path]))
  let wrong: string | undefined
  for (const slot of slots) {
    const key = [slot.name, slot.path].find((name) => given.has(name))
    if (key === undefined) continue
    const name = given.get(key)!
    given.delete(key)
    const found = state.get(name)!
    const { turn, tensor, path, layer } = slot
    const first = pathOf.get(tensor)!
    const before = values.get(first)
    const own = permuted(found, turn?.fromTorch)
    entries.push(entryOf(slot, name, found, first))
    if (!sameShape(own.shape, tensor.shape)) {
      wrong ??= `${path} of ${layer.constructor.name}: expected PyTorch's ${name} of shape ${format(shapeIn(tensor.shape, turn?.toTorch))}, here ${format(tensor.shape)}, got ${format(found.shape)}`
    } else if (before !== undefined && !sameData(own.data, before.data)) {
      wrong ??= `${path}: expected ${name} to hold what other names of ${first} do, which it is one with here`
    }
    values.set(first, own)
  }
  for (const name of counts.filter((name) => given.has(name))) {
    const torch = { name: given.get(name)!, shape: state.get(given.get(name)!)!.shape }
    entries.push({ torch, own: null, change: 'left out: nothing here depends on it' })
    given.delete(name)
  }
  const missing = [...pathOf.values()].filter((path) => !values.has(path))
  const plan = new TorchPlan(entries, missing, [...given.values()], notesOn(model))
  return { plan, values, wrong }
}

const isOfImages = (layer: AnyModule) => layer instanceof ConvLayer
const isGlobal = (layer: AnyModule) =>
  layer instanceof GlobalAvgPool2d || layer instanceof GlobalMaxPool2d

/**
 * A `Flatten` between images and a `Linear`, whose weights would be in another order. What comes before what is
 * told by the order of the properties, which is that of the calls nearly everywhere.
 */
export function notesOn(model: AnyModule): string[] {
  const layers = [...model.namedModules()]
  return layers.flatMap(([path, layer], i) => {
    if (!(layer instanceof Flatten) || layer.order === 'channelsFirst') return []
    const [, last] = layers.slice(0, i).findLast(([, it]) => isOfImages(it) || isGlobal(it)) ?? []
    const isRead = layers.slice(i + 1).some(([, after]) => after instanceof Linear)
    if (last === undefined || isGlobal(last) || !isRead) return []
    return [
      `${path} is a Flatten in the order channelsLast; PyTorch's is new Flatten({ order: 'channelsFirst' })`,
    ]
  })
}

export function warnOf(notes: readonly string[]): void {
  for (const note of notes) process.emitWarning(note, { type: 'NeuroblasWarning' })
}

function entryOf(
  { path, name: expected, tensor, turn }: Slot,
  name: string,
  { shape }: Values,
  first: string,
): TorchEntry {
  const changes = [turn?.name ?? 'as is']
  if (first !== path) changes.push(`one with ${first}`)
  if (name !== expected && name !== path) changes.push('renamed')
  return { torch: { name, shape }, own: { path, shape: tensor.shape }, change: changes.join(', ') }
}

/** What holds no values is refused where it is assigned. */
function sameData(a: ArrayLike<number> | null, b: ArrayLike<number> | null): boolean {
  if (a === null || b === null || a.length !== b.length) return a === b
  return Array.prototype.every.call(a, (x, i) => Object.is(x, b[i]))
}

/** @throws ShapeError for what does not fit, ArgumentError for names that are missing or unexpected */
export function requireMatch(
  { plan: { missing, unexpected }, wrong }: Matched<Values>,
  strict: boolean,
): void {
  if (strict && missing.length + unexpected.length > 0) {
    throw new ArgumentError(
      `expected the names that PyTorch gives to this model; missing: ${missing.join(', ') || 'none'}, unexpected: ${unexpected.join(', ') || 'none'}; { rename } says where they differ`,
    )
  }
  if (wrong !== undefined) throw new ShapeError(wrong)
}
