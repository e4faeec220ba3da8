/** What `fit` can be told of the folder that keeps a run. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkCount, checkPath, optionsOf } from '../../base/arguments.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import { toJson } from '../../base/text.js'
import { CHECKPOINTS, CONFIG } from './names.js'

/** A folder that keeps a run, and what is kept. */
export interface RunOptions {
  /** Its path; it is made where there is none. */
  folder: string
  /**
   * Steps, counted over all epochs, after which there is a checkpoint, a whole number from 1. By default there is
   * one after each epoch, and within one that takes long once a minute. Besides, there is one where training ends.
   */
  every?: number
  /**
   * How many of the newest checkpoints stay, a whole number from 1; 3 by default. The last one of an epoch's end and
   * that of the epoch of lowest validation loss stay in any case.
   */
  keep?: number
  /** What `config.json` says besides, such as how data was prepared: numbers, text, lists and objects. */
  config?: Readonly<Record<string, unknown>>
}

/** The same, with the default. */
export type RunSettings = RunOptions & Required<Pick<RunOptions, 'keep'>>

const KNOWN: Record<keyof RunOptions, true> = {
  folder: true,
  every: true,
  keep: true,
  config: true,
}

/** @throws ArgumentError for options that do not exist or are out of range, and a folder of something else */
export function runOptionsOf(given: string | RunOptions): RunSettings {
  const isOptions = typeof given === 'object' && given !== null
  const options = optionsOf('fit: run', isOptions ? given : { folder: given }, KNOWN)
  const { folder, every = 1, keep = 3, config = {} } = options
  checkPath('fit: run', folder)
  checkCount('fit: run', 'every', every)
  checkCount('fit: run', 'keep', keep)
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new ArgumentError(`fit: run: expected values by name in config, got ${excerpt(config)}`)
  }
  toJson('fit: run: config', config)
  requireRunFolder(folder)
  return { ...options, keep }
}

/** What is there already must be a run: nothing else is written into. */
function requireRunFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isDirectory()) {
    throw new ArgumentError(`${folder}: expected a folder for the run, got a file`)
  }
  if (isRunFolder(folder) || readdirSync(folder).length === 0) return
  throw new ArgumentError(`${folder}: expected the folder of a run, or a new one, got another's`)
}

/** Whether a run was begun in it. */
export function isRunFolder(folder: string): boolean {
  return [CONFIG, CHECKPOINTS].some((name) => existsSync(join(folder, name)))
}
