/** Runs in their folders, read for people who compare them; also while they are trained. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { DataError } from '../../base/errors.js'
import { isLocked } from '../../io/lock.js'
import type { EpochReport } from '../report.js'
import { bestOf } from './checkpointFolder.js'
import { type RunConfig, readConfig } from './config.js'
import { type EndEvent, readEvents, type TestEvent } from './metricsLog.js'
import { CONFIG, METRICS } from './names.js'
import { isRunFolder } from './options.js'

/** `damaged` where its files do not say what it is. */
export type RunState = 'running' | 'done' | 'interrupted' | 'diverged' | 'damaged'

/** What there is to say of a run. */
export interface RunSummary {
  /** That of its folder. */
  name: string
  folder: string
  state: RunState
  /** Of a damaged run: what was expected and found. */
  problem?: string
  /** Epochs done, and how many there are to be. */
  epochs: number
  epochsPlanned?: number
  /** The epoch of the lowest validation loss. */
  best?: Pick<EpochReport, 'epoch' | 'validationLoss' | 'validationAccuracy'>
  /** The last of them. */
  test?: Omit<TestEvent, 'event'>
  /** That its epochs took. */
  seconds: number
  created?: string
  /** What decides on its steps, by name. */
  settings: Readonly<Record<string, unknown>>
  /** What was said of it besides. */
  config: Readonly<Record<string, unknown>>
}

/**
 * The run of a folder, or the runs of the folders in it, by their names.
 * @throws DataError when there is no such folder
 */
export function readRuns(folder: string): RunSummary[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    const found = existsSync(folder) ? 'a file' : 'nothing'
    throw new DataError(`${folder}: expected a folder of runs, found ${found}`)
  }
  if (isRunFolder(folder)) return [readRun(folder)]
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter(isRunFolder)
    .map(readRun)
}

/** The run of a folder that `isRunFolder`. */
export function readRun(folder: string): RunSummary {
  const begin = {
    name: basename(resolve(folder)),
    folder,
    epochs: 0,
    seconds: 0,
    settings: {},
    config: {},
  }
  try {
    const isRunning = isLocked(join(folder, METRICS))
    // Written when the data have been looked at.
    if (isRunning && !existsSync(join(folder, CONFIG))) return { ...begin, state: 'running' }
    return { ...begin, ...summaryOf(folder, isRunning) }
  } catch (error) {
    return { ...begin, state: 'damaged', problem: (error as Error).message }
  }
}

function summaryOf(folder: string, isRunning: boolean): Omit<RunSummary, 'name' | 'folder'> {
  const config = readConfig(join(folder, CONFIG))
  if (typeof config.settings !== 'object' || config.settings === null) {
    throw new DataError(`${join(folder, CONFIG)}: expected settings in it, found none`)
  }
  const metrics = join(folder, METRICS)
  const events = existsSync(metrics) ? readEvents(metrics) : []
  const epochs = events.filter((event) => event.event === 'epoch')
  const end = events.findLast((event) => event.event === 'end')
  const tested = events.findLast((event) => event.event === 'test')
  const best = epochs.find(({ epoch }) => epoch === bestOf(epochs))
  const { epochs: planned } = config.settings
  return {
    state: isRunning ? 'running' : stateAfter(end),
    epochs: epochs.length,
    ...(typeof planned === 'number' && { epochsPlanned: planned }),
    ...(best && {
      best: {
        epoch: best.epoch,
        validationLoss: best.validationLoss,
        ...(best.validationAccuracy !== undefined && {
          validationAccuracy: best.validationAccuracy,
        }),
      },
    }),
    ...(tested && { test: withoutEvent(tested) }),
    seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
    created: config.created,
    settings: settingsOf(config),
    config: config.config ?? {},
  }
}

function withoutEvent({ event: _, ...rest }: TestEvent): Omit<TestEvent, 'event'> {
  return rest
}

function stateAfter(end: EndEvent | undefined): RunState {
  if (end === undefined || end.ended === 'aborted') return 'interrupted'
  return end.ended === 'diverged' ? 'diverged' : 'done'
}

function settingsOf({ settings, seed, data, model }: Partial<RunConfig>) {
  return {
    ...settings,
    seed,
    data: data?.digest,
    ...(typeof data?.validation === 'number' && { validation: data.validation }),
    modules: model?.modules,
    parameters: model?.parameters,
  }
}
