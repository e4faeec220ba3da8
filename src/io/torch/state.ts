/** States of PyTorch's and of a model here, one made of the other. */
import { optionsOf } from '../../base/arguments.js'
import { ArgumentError, ShapeError } from '../../base/errors.js'
import { type AnyModule, checkModule } from '../../nn/module.js'
import { StateDict, type StateSource, type StateValues, stateFrom } from '../../nn/stateDict.js'
import type { Shape } from '../../tensor/shape.js'
import { permuted } from './axes.js'
import { TorchNames } from './names.js'
import { matchTorch } from './plan.js'
import { renaming, type TorchRename } from './rename.js'

/** Settings of `fromTorch` and `toTorch`. */
export interface TorchOptions {
  /** Names that differ between PyTorch and here. */
  rename?: TorchRename
}

/**
 * A state dict of PyTorch's for this model: what its `loadStateDict` takes, with the names and axes that they
 * have here. `loadTorch` does so with a file, and says what it does.
 * @returns values by path; what the model has no place for, under its own name, so that `loadStateDict` refuses it
 * @throws ArgumentError for what is no model, no state or no renaming, ShapeError for another shape
 * @example model.loadStateDict(fromTorch(model, state))
 */
export function fromTorch(
  model: AnyModule,
  source: StateSource,
  options: TorchOptions = {},
): ReadonlyMap<string, StateValues> {
  checkModule('fromTorch', model)
  const { rename } = optionsOf('fromTorch', options, { rename: true })
  const state = stateFrom('fromTorch', source)
  const { plan, values, wrong } = matchTorch('fromTorch', model, state, rename)
  if (wrong !== undefined) throw new ShapeError(`fromTorch: ${wrong}`)
  const rest = plan.unexpected.map((name) => [name, state.get(name)!] as const)
  return new Map([...values, ...rest])
}

/**
 * The model's parameters and buffers with the names and axes that PyTorch has for them: what the
 * `load_state_dict` of the same network takes there. What two modules share comes under each of its names.
 * @throws ArgumentError for what is no model or no renaming, BusyError as `stateDict`
 */
export function toTorch(model: AnyModule, options: TorchOptions = {}): StateDict {
  checkModule('toTorch', model)
  const { rename } = optionsOf('toTorch', options, { rename: true })
  const state = model.stateDict()
  const names = new TorchNames(model)
  const change = renaming('toTorch', names, rename)
  const paths = new Map([...model.namedState()].map(([path, tensor]) => [tensor, path]))
  const turned = new StateDict()
  for (const { name, tensor, turn } of names.slots) {
    const to = apart('toTorch', turned, change(name))
    turned.set(to, permuted(state.get(paths.get(tensor)!)!, turn?.toTorch))
  }
  return turned
}

/** The counts of batches that PyTorch's batch norms have beside these, all 0. */
export function torchCounts(
  model: AnyModule,
  { rename }: TorchOptions,
): (readonly [name: string, values: { shape: Shape; data: BigInt64Array }])[] {
  const names = new TorchNames(model)
  const change = renaming('saveModel', names, rename)
  return names.counts.map((name) => [change(name), { shape: [], data: new BigInt64Array(1) }])
}

function apart(op: string, state: ReadonlyMap<string, unknown>, name: string): string {
  if (!state.has(name)) return name
  throw new ArgumentError(`${op}: expected rename to keep names apart, got ${name} twice`)
}
