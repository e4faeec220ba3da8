/** What a model must be, or stay, to be trained and evaluated. */
import { ArgumentError } from '../base/errors.js'
import { Sigmoid, Softmax } from '../nn/activations.js'
import { traitsOf } from '../nn/losses.js'
import { isModuleBuffer, type Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import type { Tensor } from '../tensor/tensor.js'

/**
 * Refuses a model that ends with the activation that its loss computes itself. The losses see that in the
 * graph of their outputs; here it is seen without one.
 * @throws ArgumentError
 */
export function requireLogits(op: string, model: Module, loss: unknown): void {
  const { activations = [] } = traitsOf(loss)
  const last = lastOf(model)
  const isTwice =
    (activations.includes('softmax') && last instanceof Softmax) ||
    (activations.includes('sigmoid') && last instanceof Sigmoid)
  if (!isTwice) return
  throw new ArgumentError(
    `${op}: expected a model that ends with logits, got ${last?.constructor.name} before a loss that computes it itself; leave it out`,
  )
}

/** The last layer of nested `Sequential`s. */
export function lastOf(module: Module | undefined): Module | undefined {
  return module instanceof Sequential ? lastOf(module.layers.at(-1)) : module
}

/**
 * Refuses parameters and buffers that were replaced during training, which goes on with the old ones.
 * @throws ArgumentError
 */
export function refuseReplaced(model: Module, before: ReadonlyMap<string, Tensor>): void {
  const now = model.namedState()
  const path = [...now.keys(), ...before.keys()].find((name) => now.get(name) !== before.get(name))
  if (path === undefined) return
  if (isModuleBuffer(now.get(path) ?? before.get(path))) {
    throw new ArgumentError(
      `fit: expected the model to keep its buffers, got another ${path}; assign() gives one other values`,
    )
  }
  throw new ArgumentError(
    `fit: expected the model to keep its parameters, got another ${path}, which the optimizer does not know; call fit anew with a new optimizer`,
  )
}
