/**
 * What a training is, as plain data: two runs with the same identity do the same from the same state, so
 * that one may go on where the other stopped. How they differ is said by name.
 */
import { excerpt } from '../base/errors.js'
import { version } from '../base/version.js'
import { type BlockSource, isBlockSource } from '../data/blocks/blockSource.js'
import type { Dataset } from '../data/dataset.js'
import { digestOf, digestOfValues } from '../data/digest.js'
import type { Loss, TargetKind } from '../nn/losses.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import type { GroupSettings, Optimizer } from '../optim/optimizer.js'
import { regularizersOf } from '../optim/regularized.js'
import type { Regularizer } from '../optim/regularizers.js'
import { describeSchedule, type Schedule } from '../optim/schedules.js'
import { format } from '../tensor/shape.js'
import type { TrainingStep } from './trainingStep.js'

/** Each part by its name. */
export type Identity = Readonly<Record<string, unknown>>

/** What makes a training what it is. */
export interface Training {
  model: Module
  optimizer: Optimizer
  steps: TrainingStep
  data: Dataset | BlockSource
  /** Other data, or the share of these. */
  validation?: Dataset | BlockSource | number
  loss: Loss<TargetKind>
  /** Of the examples that are trained on. */
  weights?: Float32Array
  /** Numbers that decide on the batches. */
  settings: { examples: number; batchSize: number; seed: number; shuffle: boolean }
  /** What else decides on a step. */
  updates: Identity
}

/** What one step computes. */
interface Step {
  /** Of the recorded step; null where it cannot be recorded, and only names are compared. */
  digest: string | null
  /** Its modules and its loss by their names, and whether inputs are augmented. */
  names: string
}

/** Takes the digests of the data; the event loop goes on meanwhile. */
export async function identify(training: Training): Promise<Identity> {
  const { model, optimizer, data, validation = null, weights, settings, updates } = training
  const parameters = [...model.namedState()].map(([path, { shape }]) => [path, format(shape)])
  return {
    ...settingsOf(optimizer),
    optimizer: optimizer.constructor.name,
    ...settings,
    ...updates,
    step: stepOf(training),
    parameters: Object.fromEntries(parameters),
    data: await digestOfAny(data),
    ...(weights && { weights: await digestOfValues('weights', [weights]) }),
    validation:
      validation === null || typeof validation === 'number'
        ? validation
        : await digestOfAny(validation),
    version,
  }
}

/** Of a block source what it says of itself. */
async function digestOfAny(data: Dataset | BlockSource): Promise<string | null> {
  return isBlockSource(data) ? (data.digest ?? null) : digestOf(data)
}

function stepOf({ model, loss, steps }: Training): Step {
  const paths = new Map([...model.namedState()].map(([path, { handle }]) => [handle, path]))
  const batch = Math.min(steps.loader.batchSize, steps.loader.size)
  const digest = steps.digest(paths, batch) ?? null
  const names = [modulesOf(model), loss.name, ...(steps.settings.change ? ['augmented'] : [])]
  return { digest, names: names.join('; ') }
}

function modulesOf(model: Module): string {
  const modules = [...model.namedModules().values()].filter((part) => !(part instanceof Sequential))
  return modules.map((part) => part.constructor.name).join(', ')
}

/** Each setting of the optimizer, or a list of it where the groups differ. */
function settingsOf({ groups }: Optimizer): Identity {
  const names = new Set(groups.flatMap((group) => Object.keys(group)))
  names.delete('parameters')
  return Object.fromEntries(
    [...names].map((name) => {
      const values = groups.map((group) => plain(name, group))
      const isOne = values.every((value) => value === values[0])
      return [name, isOne ? values[0] : values]
    }),
  )
}

function plain(name: string, group: GroupSettings): unknown {
  if (name === 'regularizer') {
    return regularizersOf(group).flatMap(regularizerTexts).join(' + ') || undefined
  }
  const value: unknown = group[name as keyof GroupSettings]
  if (typeof value === 'function') return describeSchedule(value as Schedule)
  const isPlain = ['undefined', 'number', 'boolean'].includes(typeof value)
  return isPlain ? value : excerpt(value)
}

/** One of one's own is told apart by the recorded step, which its gradient is part of. */
function regularizerTexts({ l1, l2 }: Regularizer): string[] {
  if (l1 === undefined && l2 === undefined) return ['one of its own']
  return [...(l1 ? [`l1(${l1})`] : []), ...(l2 ? [`l2(${l2})`] : [])]
}

/** A part in which two trainings differ. */
export interface Difference {
  name: string
  was: unknown
  is: unknown
}

/** Without these the state does not fit. */
const FIXED = ['optimizer', 'parameters']

/** Whether a training may go on in spite of it. */
export function isAcceptable({ name }: Difference): boolean {
  return !FIXED.includes(name)
}

/** What decides on the order of examples and on their batches. */
const OF_BATCHES = 'data examples validation batchSize accumulate seed shuffle'.split(' ')

/** Whether the steps of an epoch are others by it. */
export function isOfBatches({ name }: Difference): boolean {
  return OF_BATCHES.includes(name)
}

/** In the order of their names. */
export function differencesOf(was: Identity, is: Identity): Difference[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()
  return names
    .map((name) => ({ name, was: was[name] ?? null, is: is[name] ?? null }))
    .filter(({ name, was, is }) =>
      name === 'step' ? !isSameStep(was as Step, is as Step) : !isSame(was, is),
    )
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isSameStep(a: Step | null, b: Step | null): boolean {
  return a?.digest === b?.digest && (typeof a?.digest === 'string' || a?.names === b?.names)
}

/** As `lr (was 0.1, is 0.2)`. */
export function describeDifference({ name, was, is }: Difference): string {
  const isOfData = name === 'data' || name === 'validation' || name === 'weights'
  if (isOfData && typeof was === 'string' && typeof is === 'string')
    return `${name} (other contents)`
  if (name === 'step') return `step (${describeStep(was as Step, is as Step)})`
  if (name !== 'parameters') return `${name} (was ${show(was)}, is ${show(is)})`
  const paths = differencesOf((was ?? {}) as Identity, (is ?? {}) as Identity)
  return `parameters (${paths.map(describeDifference).join(', ') || 'another order'})`
}

const LONGEST = 100

function describeStep(was: Step | null, is: Step | null): string {
  if (was?.names !== is?.names) return `was ${show(was?.names)}, is ${show(is?.names)}`
  return 'the same modules and loss by name, but other numbers, sizes or kernels'
}

function show(value: unknown): string {
  if (typeof value !== 'string')
    return value === null || value === undefined ? 'none' : excerpt(value)
  return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value
}
