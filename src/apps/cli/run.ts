/** `--run` and `--resume` of `neuroblas train`: a folder that keeps the run, and going on with it. */
import type { FitOptions } from '../../index.js'
import { isRunFolder, readRun } from '../../internal.js'
import { UsageError } from './options.js'
import { note } from './table.js'

interface Given {
  run?: string
  resume?: boolean
  checkpoint?: string
}

/** What `neuroblas train` was told, by the names of its options, and its data. */
type Told = Readonly<Record<string, unknown>> & { readonly data?: string }

/** What is not kept of the options: it does not decide on what is trained. */
const NOT_KEPT = ['run', 'resumeWith', 'threads']

/**
 * What the folder says that was asked for, where its run is to go on; says where it goes on.
 * @throws UsageError for a run that is there without `--resume`, and options that need each other
 */
export function settingsToResume({ run, resume, checkpoint }: Given): Told {
  if (run === undefined) {
    if (resume) throw new UsageError('--resume: expected with --run alone, got it without')
    return {}
  }
  if (checkpoint !== undefined) {
    throw new UsageError('--run: expected without --checkpoint, got both; a run keeps its own')
  }
  if (!isRunFolder(run)) {
    if (resume) note(`${run}: nothing to go on with; begins anew`)
    return {}
  }
  const found = readRun(run)
  const how = `${found.state} after ${found.epochs} of ${found.epochsPlanned ?? 'its'} epochs`
  if (!resume) {
    throw new UsageError(
      `--run ${run}: expected a new folder, got a run that is ${how}; --resume goes on with it`,
    )
  }
  if (found.problem !== undefined) note(`${run}: ${found.problem}; goes on by what is given here`)
  else if (found.state === 'done') note(`${run}: ${how}; nothing is left to train`)
  else note(`${run}: goes on, ${how}`)
  return found.config
}

/** What `fit` is told of the folder: it is to say of the run what was asked for. */
export function runOf(data: string, options: Pick<Given, 'run'>): FitOptions['run'] {
  if (options.run === undefined) return undefined
  const kept = Object.entries(options).filter(([name]) => !NOT_KEPT.includes(name))
  return { folder: options.run, config: { data, ...Object.fromEntries(kept) } }
}
