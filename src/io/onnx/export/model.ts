/** A module in a graph: what it computes of examples, for a batch of any size. */

import { isFloat } from '../../../backend/dtype.js'
import { ArgumentError, excerpt, ShapeError } from '../../../base/errors.js'
import type { HookHandle } from '../../../nn/hooks.js'
import { type AnyModule, inEval } from '../../../nn/module.js'
import { keep, type SummaryInput } from '../../../nn/summary.js'
import { tensor, zeros } from '../../../tensor/create.js'
import { noGrad } from '../../../tensor/graph.js'
import { Generator } from '../../../tensor/random.js'
import { scope } from '../../../tensor/scope.js'
import { format } from '../../../tensor/shape.js'
import type { Storage } from '../../../tensor/storage.js'
import { type AnyTensor, isTensor } from '../../../tensor/tensor.js'
import { BATCHES, type Merged, merge } from './merge.js'
import { type Run, runOf, type StateTensor } from './run.js'
import { readingOf } from './translate.js'

/** What a model computes, and what its outputs are called; one that has no name is the only one. */
export interface Traced extends Merged {
  readonly names: readonly string[]
}

/**
 * Runs a model twice, on two batches of different sizes and values.
 * @throws ArgumentError for a model that cannot be exported, ShapeError where it does not take the inputs
 */
export function traceModel(model: AnyModule, inputs: readonly SummaryInput[]): Traced {
  const state = stateOf(model)
  let names: readonly string[] = []
  const putBack = keep(model)
  const { pathOf, remove } = followPaths(model)
  const run = (position: 0 | 1): Run =>
    scope(() => {
      const xs = inputs.map((input) => examplesOf(input, position))
      return runOf(xs, state, pathOf, () => {
        const found = tensorsIn(model.forward(...xs))
        names = found.map(([name]) => name)
        return found.map(([, y]) => y)
      })
    })
  try {
    const runs = noGrad(() => inEval(model, () => [run(0), run(1)] as const))
    return { ...merge(runs, readingOf), names }
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const given = inputs.map((input) => format(isTensor(input) ? input.shape : input)).join(', ')
    throw new ShapeError(
      `exportOnnx: expected input of a whole batch that the model takes, such as [1, 784], got ${given} (${error.message})`,
      { cause: error },
    )
  } finally {
    remove()
    putBack()
  }
}

function stateOf(model: AnyModule): Map<Storage, StateTensor> {
  return new Map(
    Array.from(model.namedState(), ([name, x]) => [
      x.storage,
      { kind: 'constant', name, data: x.data(), version: x.storage.version },
    ]),
  )
}

/** Says at any time which module's forward pass is running. */
function followPaths(model: AnyModule): { pathOf: () => string; remove: () => void } {
  const running: string[] = []
  const handles: HookHandle[] = []
  for (const [path, module] of model.namedModules()) {
    handles.push(
      module.registerForwardPreHook(() => void running.push(path)),
      module.registerForwardHook(() => void running.pop()),
    )
  }
  return {
    pathOf: () => running.at(-1) ?? '',
    remove: () => {
      for (const handle of handles) handle.remove()
    },
  }
}

/**
 * Examples for a run: first those that are given or zeros, then smaller ones of the same signs, so that an index stays
 * one, or numbers from 0 to 1.
 */
function examplesOf(input: SummaryInput, position: 0 | 1): AnyTensor {
  const [, ...shape] = isTensor(input) ? input.shape : input
  const batch = [BATCHES[position], ...shape]
  if (!isTensor(input) && position === 0) return zeros(batch)
  const generator = new Generator(0)
  const shares = generator.uniform(batch)
  generator.dispose()
  if (!isTensor(input)) return shares
  const given = input.data()
  const values = shares.data().map((share, i) => {
    const value = given[i % given.length]
    if (position === 0) return value
    return isFloat(input.dtype) ? value * share : Math.trunc(value * share)
  })
  return tensor(values, batch, input.dtype)
}

/** The tensors that a model gave: one without a name, or several by their names or positions. */
function tensorsIn(outputs: unknown): [string, AnyTensor][] {
  if (isTensor(outputs)) return [['output', outputs]]
  const entries = Object.entries(typeof outputs === 'object' && outputs !== null ? outputs : {})
  if (entries.length === 0 || !entries.every(([, y]) => isTensor(y))) {
    throw new ArgumentError(
      `exportOnnx: expected a forward pass that returns a tensor, or an array or plain object of them, got ${excerpt(outputs)}`,
    )
  }
  const isList = Array.isArray(outputs)
  return entries.map(([name, y]) => [isList ? `output_${name}` : name, y])
}
