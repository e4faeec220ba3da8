/** The process of one of our own contestants; see protocol.ts for what it prints. */

import { createInterface } from 'node:readline'
import { BackendError } from '../../index.js'
import { bareProducts } from './bare.js'
import { type Measurement, memoryOver, pauses } from './fitting.js'
import { inferences } from './inference.js'
import { measure, type TimedRun } from './measure.js'
import { opSteps } from './ops.js'
import type { Job, Ready, Round } from './protocol.js'
import { startTraining } from './training.js'

const WARM_UP_SECONDS = 0.1

function say(line: Ready | Round): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Rounds that take the mean time of a step. */
function times(run: TimedRun): Measurement {
  return async (seconds) => ({ usPerStep: (await measure(run, seconds)) * 1e6 })
}

async function warmedUp(run: TimedRun): Promise<Measurement> {
  await measure(run, WARM_UP_SECONDS)
  return times(run)
}

async function start(job: Job): Promise<{ round: Measurement; losses?: number[] }> {
  const c = job.case
  switch (c.kind) {
    case 'training': {
      if (job.contestant === 'bare') return { round: await warmedUp(bareProducts(c)) }
      const { run, losses } = await startTraining(job, c)
      return { round: times(run), losses }
    }
    case 'op':
      return { round: await warmedUp(opSteps(c)) }
    case 'inference':
      return { round: await warmedUp(inferences(job, c)) }
    case 'pause':
      return { round: pauses(job, c) }
    case 'memory':
      return { round: memoryOver(job, c) }
  }
}

try {
  const { round, losses } = await start(JSON.parse(process.argv.at(-1)!) as Job)
  say({ losses })
  for await (const seconds of createInterface({ input: process.stdin })) {
    say(await round(Number(seconds)))
  }
} catch (error) {
  if (!(error instanceof BackendError)) throw error
  say({ unavailable: error.message })
}
