/**
 * The state of a training run in a safetensors file: parameters, what the optimizer keeps, averages, random
 * generators, the best weights so far, and as text which training it is and how far it got. A checksum is
 * over all of it.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { ArgumentError, DataError, NeuroblasError, OutOfMemoryError } from '../base/errors.js'
import { readModelFile, readModelHeader, writeModelFile } from '../io/modelFile.js'
import { safetensorsChunks, type Writable } from '../io/safetensors.js'
import type { StoredTensor, TensorData } from '../io/safetensorsDtypes.js'
import type { BestWeights } from './bestWeights.js'
import { decodeNotes, encodeNumbers, FORMAT, type Notes } from './checkpointNotes.js'
import type { Training } from './identity.js'
import type { MetricStates } from './metricGroup.js'
import type { PartOfEpoch } from './partOfEpoch.js'
import { examine, generatorsOf, type RunState } from './runState.js'

/** What a training run consists of. */
export interface Run extends Training, RunState {
  best: BestWeights
}

/** How far a run got. */
export type Progress = Omit<Notes, 'format' | 'optimizer' | 'steps' | 'best' | 'begun'>

/** What a file holds. */
export interface Stored {
  notes: Notes
  tensors: ReadonlyMap<string, StoredTensor>
}

type Tensors<Data = Float32Array> = Map<string, { shape: readonly number[]; data: Data }>

/**
 * Writes the run's state; the old file stays until the new one is complete.
 * @param part what was done of the next epoch
 * @throws DivergenceError for values that are not finite where the old file's are
 */
export function writeCheckpoint(
  path: string,
  run: Run,
  progress: Progress,
  part?: PartOfEpoch,
): void {
  const { model, optimizer, best } = run
  const { kind, steps, tensors } = optimizer.stateDict()
  const generators = [...generatorsOf(run)].map(([name, generator]) => {
    // The order of an epoch is drawn anew where it goes on.
    const state = (name === 'order' && part?.order) || generator.save()
    return [name, { shape: [4], data: Int32Array.from(state) }] as const
  })
  const begun = part && {
    examples: part.examples,
    sum: part.sum,
    milliseconds: part.milliseconds,
  }
  const notes: Notes = {
    format: FORMAT,
    ...progress,
    begun: begun ?? null,
    optimizer: kind,
    steps,
    best: best.found,
  }
  const entries = [
    ...under('model', model.stateDict()),
    ...under('optimizer', tensors),
    ...under('best', best.stateDict()),
    ...under('average', run.average?.stateDict() ?? []),
    ...under<TensorData>('random', generators),
    ...under<TensorData>('metrics', asBytes(part?.metrics ?? new Map())),
  ]
  const training = encodeNumbers(notes)
  writeModelFile(path, entries, { training, sha256: checksumOf(entries, training) })
}

/** SHA-256 of the file as it would be without it, in hexadecimal. */
export function checksumOf(
  entries: Iterable<readonly [string, Writable]>,
  training: string,
): string {
  const hash = createHash('sha256')
  for (const chunk of safetensorsChunks(entries, { training })) hash.update(chunk)
  return hash.digest('hex')
}

/** @throws DataError when there is no such file, or it is malformed or damaged */
export function readCheckpoint(path: string): Stored {
  try {
    const { tensors, metadata } = readModelFile(path)
    const { training = 'null', sha256 } = metadata
    const notes = decodeNotes(training)
    if (sha256 !== checksumOf(tensors, training)) {
      throw new ArgumentError('got one whose contents are not those of its checksum')
    }
    return { notes, tensors }
  } catch (error) {
    throw misfit(path, error)
  }
}

/** The error of a file that is no checkpoint of a training; another error stays as it is. */
export function misfit(path: string, error: unknown): unknown {
  const isOther = !(error instanceof NeuroblasError || error instanceof SyntaxError)
  if (isOther || error instanceof OutOfMemoryError) return error
  return new DataError(`${path}: expected a checkpoint of this training, ${error.message}`, {
    cause: error,
  })
}

/** The seed that the training of a file has; undefined where it does not say. */
export function seedIn(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  try {
    const { seed } = JSON.parse(readModelHeader(path).metadata.training).identity
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined
  } catch {
    return undefined // where the training goes on from it, it is said what is wrong with the file
  }
}

/**
 * Puts a run where the file says it was.
 * @returns what was done of the next epoch, undefined where it was not begun
 */
export function restoreRun(run: Run, { notes, tensors }: Stored): PartOfEpoch | undefined {
  const { optimizer, steps, best, position, begun } = notes
  const part = (name: string): Tensors<never> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${name}/`))
        .map(([key, tensor]) => [key.slice(name.length + 1), tensor as never]),
    )
  run.optimizer.loadStateDict({ kind: optimizer, steps, tensors: part('optimizer') })
  run.model.loadStateDict(part('model'))
  restoreAverage(run, part('average'))
  const { notFinite } = examine(run)
  if (notFinite !== undefined) {
    throw new ArgumentError(`expected finite values, got ${notFinite}; remove it to begin anew`)
  }
  const random = part('random') as Tensors<Int32Array>
  for (const [name, generator] of generatorsOf(run)) {
    generator.restore([...(random.get(name)?.data ?? [])])
  }
  if (best) run.best.resume(best, part('best'))
  if (begun === null) return undefined
  return { ...begun, steps: position.step, metrics: fromBytes(part('metrics')) }
}

/** A run that has no average yet begins with its weights. */
function restoreAverage({ average, model }: Run, found: Tensors<never>): void {
  if (average === undefined) return
  const names = new Set(average.stateDict().keys())
  const weights = [...model.stateDict()].filter(([name]) => names.has(name))
  average.loadStateDict(found.size > 0 ? found : new Map(weights))
}

/** The format of the file knows no float64. */
function asBytes(states: MetricStates): Tensors<Uint8Array> {
  return new Map(
    [...states].map(([name, { buffer, byteOffset, byteLength }]) => {
      const data = new Uint8Array(buffer, byteOffset, byteLength)
      return [name, { shape: [byteLength], data }]
    }),
  )
}

function fromBytes(stored: Tensors<Uint8Array>): MetricStates {
  const states = new Map<string, Float64Array>()
  for (const [name, { data }] of stored) {
    const whole = data.length - (data.length % Float64Array.BYTES_PER_ELEMENT)
    states.set(name, new Float64Array(data.slice(0, whole).buffer))
  }
  return states
}

function under<Data>(
  name: string,
  tensors: Iterable<readonly [string, { shape: readonly number[]; data: Data }]>,
): (readonly [string, { shape: readonly number[]; data: Data }])[] {
  return [...tensors].map(([key, tensor]) => [`${name}/${key}`, tensor] as const)
}
