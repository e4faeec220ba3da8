/** The process of one of our own contestants; see protocol.ts for what it prints. */

import { createInterface } from 'node:readline'
import { BackendError, MissingPackageError } from '../../index.js'
import { loadAddon } from '../../internal.js'
import { engineOf } from '../engine.js'
import { bareProducts } from './bare.js'
import type { LearningCase } from './cases.js'
import { fits, type Measurement, memoryOver, pauses } from './fitting.js'
import { inferences } from './inference.js'
import { limitRounds } from './limit.js'
import { measure, type TimedRun } from './measure.js'
import { batchedProduct, opSteps } from './ops.js'
import type { Job, Ready, Round } from './protocol.js'
import { runs, sharedRuns } from './runs.js'
import { ourTfjsSteps, tfjsPauses } from './tfjs.js'
import { startTraining } from './training.js'

const WARM_UP_SECONDS = 0.1

function say(line: Ready | Round): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function warmedUp(run: TimedRun): Promise<Measurement> {
  await measure(run, WARM_UP_SECONDS)
  return (seconds) => measure(run, seconds)
}

async function training(job: Job, c: LearningCase) {
  const { run, losses } = await startTraining(job, c)
  return { round: (seconds: number) => measure(run, seconds), losses }
}

async function start(job: Job): Promise<{ round: Measurement; losses?: number[] }> {
  const c = job.case
  if (job.contestant === 'limit') return { round: limitRounds(c) }
  switch (c.kind) {
    case 'training':
      if (job.contestant === 'bare') return { round: await warmedUp(bareProducts(c)) }
      return await training(job, c)
    case 'images':
      return await training(job, c)
    case 'product':
      return { round: await warmedUp(batchedProduct(c)) }
    case 'op':
      return { round: await warmedUp(opSteps(c)) }
    case 'inference':
      return { round: await warmedUp(inferences(job, c)) }
    case 'pause':
      return { round: pauses(job, c) }
    case 'memory':
      return { round: memoryOver(job, c) }
    case 'fit':
      return { round: await fits(c) }
    case 'tfjs':
      return { round: await warmedUp(await ourTfjsSteps(c)) }
    case 'tfjsPause':
      return { round: await tfjsPauses(c) }
    case 'runs': {
      const shared = job.contestant === 'workers' || job.contestant === 'processes'
      return { round: await (shared ? sharedRuns(job, c) : runs(c)) }
    }
  }
}

/**
 * What computes here. Throws BackendError where the processor has not the level that the job asks for.
 */
function aboutThis({ contestant, level }: Job): Pick<Ready, 'engine' | 'level'> {
  if (contestant === 'js') return {}
  const info = loadAddon().info()
  if (contestant === 'bare') return { engine: engineOf({ ...info, gemm: 'openblas' }) }
  if (level !== undefined && level !== info.simd) {
    throw new BackendError(`this processor has no ${level}, its best is ${info.simd}`)
  }
  return { level: info.simd, ...(contestant !== 'limit' && { engine: engineOf(info) }) }
}

try {
  const job = JSON.parse(process.argv.at(-1)!) as Job
  const about = aboutThis(job)
  const { round, losses } = await start(job)
  say({ losses, ...about })
  for await (const seconds of createInterface({ input: process.stdin })) {
    say(await round(Number(seconds)))
  }
} catch (error) {
  if (!(error instanceof BackendError || error instanceof MissingPackageError)) throw error
  say({ unavailable: error.message })
}
