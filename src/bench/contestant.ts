/** The process of one of our own contestants; see protocol.ts for what it prints. */
import { createInterface } from 'node:readline'
import { BackendError } from '../errors.js'
import { bareProducts } from './bare.js'
import { measure, type TimedRun } from './measure.js'
import { opSteps } from './ops.js'
import type { Job, Ready, Round } from './protocol.js'
import { startTraining } from './training.js'

const WARM_UP_SECONDS = 0.1

function say(line: Ready | Round): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function start(job: Job): Promise<{ run: TimedRun; lossAfter100: number | null }> {
  const c = job.case
  if (c.kind === 'training' && job.contestant !== 'bare') return startTraining(job, c)
  const run = c.kind === 'op' ? opSteps(c) : bareProducts(c)
  await measure(run, WARM_UP_SECONDS)
  return { run, lossAfter100: null }
}

try {
  const { run, lossAfter100 } = await start(JSON.parse(process.argv.at(-1)!) as Job)
  say({ lossAfter100 })
  for await (const seconds of createInterface({ input: process.stdin })) {
    say({ usPerStep: (await measure(run, Number(seconds))) * 1e6 })
  }
} catch (error) {
  if (!(error instanceof BackendError)) throw error
  say({ unavailable: error.message })
}
