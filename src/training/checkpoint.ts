/**
 * The state of a training run at an epoch's end, in one safetensors file: parameters, what the
 * optimizer keeps, random generators, the best weights so far and the reports of the epochs.
 */
import { existsSync } from 'node:fs'
import { ArgumentError, DataError, NeuroblasError } from '../base/errors.js'
import { parseJson } from '../base/text.js'
import { readModelFile, writeModelFile } from '../io/model.js'
import type { TensorData } from '../io/safetensors.js'
import { drawSeed } from '../tensor/random.js'
import type { BestWeights } from './bestWeights.js'
import type { EpochReport } from './report.js'
import { examine, generatorsOf, type RunState, snapshot } from './runState.js'

type Tensors<Data = Float32Array> = Map<string, { shape: readonly number[]; data: Data }>

/** What a training run consists of. */
export interface Run extends RunState {
  best: BestWeights
  /** What must be the same when it goes on. */
  settings: Record<string, unknown>
}

/** What the metadata `training` holds as JSON. */
interface Notes {
  settings: Record<string, unknown>
  epochs: EpochReport[]
  optimizer: string
  steps: number
  best: BestWeights['found']
}

/**
 * Writes the run's state; the old file stays until the new one is complete.
 * @throws DivergenceError for values that are not finite where the old file's are
 */
export function saveCheckpoint(path: string, run: Run, epochs: EpochReport[]): void {
  const { model, optimizer, best } = run
  const { kind, steps, tensors } = optimizer.stateDict()
  const generators = [...generatorsOf(run)].map(
    ([name, generator]) => [name, { shape: [4], data: Int32Array.from(generator.save()) }] as const,
  )
  const { settings } = run
  const notes: Notes = { settings, epochs, optimizer: kind, steps, best: best.found }
  const entries = [
    ...under('model', model.stateDict()),
    ...under('optimizer', tensors),
    ...under('best', best.stateDict()),
    ...under<TensorData>('random', generators),
  ]
  writeModelFile(path, entries, { training: encodeNotes(notes) })
}

/**
 * The seed of a training that is given none: the one that its checkpoint was begun with, else a new
 * one. It is drawn in either case, so that all that is drawn later is the same.
 */
export function seedFor(path?: string): number {
  const drawn = drawSeed()
  if (path === undefined || !existsSync(path)) return drawn
  const { training = '{}' } = readModelFile(path).metadata
  try {
    return JSON.parse(training).settings.seed ?? drawn
  } catch {
    return drawn // `resume` says what is wrong with the file
  }
}

/**
 * Puts the run where the file says it was. Without a file, the run's beginning becomes one: a path
 * that cannot be written fails now, not after the first epoch.
 * @returns the reports of the epochs done
 * @throws DataError when the file is malformed or belongs to another training; nothing is changed then
 */
export function resume(path: string, run: Run): EpochReport[] {
  if (!existsSync(path)) {
    saveCheckpoint(path, run, [])
    return []
  }
  const { tensors, metadata } = readModelFile(path)
  const goBack = snapshot(run)
  try {
    return restore(run, tensors, metadata.training)
  } catch (error) {
    goBack()
    if (!(error instanceof NeuroblasError || error instanceof SyntaxError)) throw error
    throw new DataError(`${path}: expected a checkpoint of this training, ${error.message}`, {
      cause: error,
    })
  }
}

function restore(
  run: Run,
  tensors: ReturnType<typeof readModelFile>['tensors'],
  training: string | undefined,
): EpochReport[] {
  const part = (name: string): Tensors<never> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, tensor]) => [key.slice(name.length + 1), tensor as never]),
    )
  const { settings, epochs, optimizer, steps, best } = decodeNotes(training)
  for (const [name, wanted] of Object.entries(run.settings)) {
    const found = settings[name]
    if (JSON.stringify(found) === JSON.stringify(wanted)) continue
    throw new ArgumentError(`expected one with ${name} ${wanted}, got ${found}`)
  }
  run.optimizer.loadStateDict({ kind: optimizer, steps, tensors: part('optimizer') })
  run.model.loadStateDict(part('model'))
  const { notFinite } = examine(run)
  if (notFinite !== undefined) {
    throw new ArgumentError(`expected finite values, got ${notFinite}; remove it to begin anew`)
  }
  const random = part('random') as Tensors<Int32Array>
  for (const [name, generator] of generatorsOf(run)) {
    generator.restore([...(random.get(name)?.data ?? [])])
  }
  if (best) run.best.resume(best, part('best'))
  return epochs
}

// JSON has no word for them.
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']

function encodeNotes(notes: Notes): string {
  return JSON.stringify(notes, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

function decodeNotes(text = 'null'): Notes {
  const notes = parseJson(text, (_, value) =>
    NOT_FINITE.includes(value as string) ? Number(value) : value,
  ) as Notes | null
  const isWhole =
    notes !== null && Array.isArray(notes?.epochs) && Number.isSafeInteger(notes?.steps)
  if (isWhole && typeof notes.settings === 'object' && notes.settings !== null) return notes
  throw new ArgumentError('expected epochs, steps and settings in it')
}

function under<Data>(
  name: string,
  tensors: Iterable<readonly [string, { shape: readonly number[]; data: Data }]>,
): (readonly [string, { shape: readonly number[]; data: Data }])[] {
  return [...tensors].map(([key, tensor]) => [`${name}/${key}`, tensor] as const)
}
