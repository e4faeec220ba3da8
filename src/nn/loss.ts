/**
 * What a loss is: a function of the network's outputs and the targets of a batch, and how the losses of
 * the examples become one number.
 */
import { isRecording } from '../backend/record.js'
import { optionsOf, refuseRest } from '../base/arguments.js'
import { ArgumentError, ShapeError, spelled } from '../base/errors.js'
import { requireDType, requireTensor } from '../ops/require.js'
import { isNode } from '../tensor/graph.js'
import { format } from '../tensor/shape.js'
import type { AnyTensor, GradNode, Tensor } from '../tensor/tensor.js'

/** What targets are: whole numbers, which are the labels of classes or counts, or any values. */
export type TargetKind = 'labels' | 'values'
/** Labels [batch] or values, in the shape of the outputs; either where the kind is not known. */
export type Targets<K extends TargetKind = TargetKind> = K extends 'labels'
  ? Tensor<'int32'>
  : Tensor
/**
 * What becomes of the losses of a batch: their `mean` or `sum`, a scalar, or `none`, all of them.
 */
export type Reduction = 'mean' | 'sum' | 'none'
/** What a loss is told beside outputs and targets. */
export interface LossOptions {
  /** `mean` by default. */
  reduction?: Reduction
  /**
   * [batch], not below 0: the losses of each example are multiplied by its weight. A mean still divides by
   * what it divides by without them, as Keras's `sum_over_batch_size` does.
   */
  sampleWeights?: Tensor
}
/**
 * A loss: from the outputs of a network and the targets of a batch to a scalar, or with `none` to a
 * loss per example or element. Any function of this form is one; `fit` calls it with two arguments.
 * Its targets are values, unless it says otherwise: `Loss<'labels'>`, or `Loss<TargetKind>` for both.
 * @example const cubed: Loss = (outputs, targets) => outputs.sub(targets).abs().pow(3).mean()
 */
export type Loss<K extends TargetKind = 'values'> = {
  /** As a method, whose type also fits where data may hold either kind. */
  loss(outputs: Tensor, targets: Targets<K>, options?: Reduction | LossOptions): Tensor
}['loss']

/** What a loss makes of a batch. */
export interface Losses {
  /** Of each example, or each element. */
  each: Tensor
  /** What a mean divides their sum by, a scalar; how many they are by default. */
  divisor?: Tensor
}

/** What is known of a loss beside its value. */
export interface LossTraits {
  /** Activations that the loss computes itself; the outputs of one are refused. */
  activations?: readonly string[]
  /** Whether labels beside a single output are classes 0 and 1, not values. */
  isBinary?: boolean
  /** The label that does not count. */
  ignoreIndex?: number
}

const traits = new WeakMap<object, LossTraits>()

/** What is known of a loss: nothing of one that is not the library's. */
export function traitsOf(loss: unknown): LossTraits {
  return traits.get(loss as object) ?? {}
}

interface About extends LossTraits {
  /** What it differs in from other losses of its name; checkpoints know it by both. */
  settings?: unknown
}

/** A loss from what it makes of each example, or each element. */
export function lossOf(
  op: string,
  lossesOf: (outputs: Tensor, targets: Targets) => Tensor | Losses,
  { settings, ...about }: About = {},
): Loss<TargetKind> {
  const { activations = [] } = about
  const loss: Loss<TargetKind> = (outputs, targets, options, ...rest: unknown[]) => {
    refuseRest(op, rest)
    for (const x of [outputs, targets]) requireTensor(op, x)
    requireLogits(op, outputs, activations)
    return reduceLosses(op, lossesOf(outputs, targets), options)
  }
  traits.set(loss, about)
  return nameLoss(op, settings, loss)
}

/** Names a loss by the settings that it was made with, too. */
export function nameLoss<F extends object>(op: string, settings: unknown, loss: F): F {
  const text = JSON.stringify(settings) ?? '{}'
  return Object.defineProperty(loss, 'name', { value: text === '{}' ? op : `${op}(${text})` })
}

/** The losses of a batch, weighted and reduced as it was said. */
export function reduceLosses(
  op: string,
  losses: Tensor | Losses,
  options: Reduction | LossOptions = 'mean',
): Tensor {
  const { reduction = 'mean', sampleWeights } =
    typeof options === 'object'
      ? optionsOf(op, options, { reduction: true, sampleWeights: true })
      : { reduction: options }
  const { each, divisor } = 'each' in losses ? losses : { each: losses }
  const weighted = sampleWeights === undefined ? each : weigh(op, each, sampleWeights)
  switch (reduction) {
    case 'mean':
      return divisor ? weighted.sum().div(divisor) : weighted.mean()
    case 'sum':
      return weighted.sum()
    case 'none':
      return weighted
    default:
      throw new ArgumentError(
        `${op}: expected reduction mean, sum or none, got ${spelled(reduction)}`,
      )
  }
}

function weigh(op: string, losses: Tensor, weights: Tensor): Tensor {
  requireDType(`${op}: sampleWeights`, weights, losses.dtype)
  const [batch, ...rest] = losses.shape
  if (weights.shape.length !== 1 || weights.size !== batch) {
    throw new ShapeError(
      `${op}: expected sampleWeights [batch], one for each example, got ${format(weights.shape)} for losses ${format(losses.shape)}`,
    )
  }
  requireValues(op, 'sampleWeights', weights, (value) => value >= 0 && value < Infinity, '>= 0')
  return losses.mul(rest.length === 0 ? weights : weights.reshape([batch, ...rest.fill(1)]))
}

/** Refuses elements out of range, where they can be read: not in a recording. */
export function requireValues(
  op: string,
  name: string,
  x: AnyTensor,
  isRight: (value: number) => boolean,
  range: string,
): void {
  if (isRecording()) return
  const values = x.data() as ArrayLike<number>
  for (let i = 0; i < values.length; i++) {
    if (isRight(values[i])) continue
    throw new ArgumentError(`${op}: expected ${name} ${range}, got ${values[i]} at ${i}`)
  }
}

// Ops that move values and leave them as they are.
const MOVES = ['reshape', 'transpose', 'slice']

/** Refuses outputs that such an activation made, as far as they have a graph: the loss computes it itself. */
function requireLogits(op: string, outputs: Tensor, activations: readonly string[]): void {
  let edge: GradNode | Tensor | null = outputs.node
  while (edge && isNode(edge) && MOVES.includes(edge.name)) edge = edge.edges[0]
  if (!edge || !isNode(edge) || !activations.includes(edge.name)) return
  throw new ArgumentError(
    `${op}: expected logits, got the outputs of ${edge.name}, which the loss computes itself; leave it out`,
  )
}

/**
 * How many classes the labels beside so many outputs can tell apart; of a single one, a loss of values
 * takes them as values, and one that is not the library's as it likes.
 */
export function classLimit(loss: Loss<TargetKind>, outputs: number): number {
  if (outputs > 1) return outputs
  return traitsOf(loss).isBinary ? 2 : Infinity
}
