// Kills a training that keeps a checkpoint, or a run in a folder, at random moments, and lets it go on: every
// one must end with the bits of one that was never killed, and leave no lock and no temporary file. Writes
// are slowed down, so that many of the kills cut one off.
//   node scripts/kill.mjs [--kills 200] [--seed 1] [--keeps run]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomOf } from './fuzz/random.mjs'

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    keeps: { type: 'string', default: 'checkpoint' },
  },
})
const [KILLS, SEED] = [Number(options.kills), Number(options.seed)]
const beside = (name) => fileURLToPath(new URL(`kill/${name}`, import.meta.url))

const FILES = { checkpoint: 'checkpoint', run: 'run/config.json,run/metrics.jsonl' }
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath, path = parentPath }) => relative(folder, join(path, name)))
    .sort()

const { random } = randomOf(SEED)

/** Trains in a process of its own; killed after so many milliseconds, or not at all. */
async function train(folder, killAfter) {
  const args = ['--import', beside('slowWrites.mjs'), beside('training.mjs'), folder, options.keeps]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let result = ''
  child.stdout.on('data', (chunk) => {
    result += chunk
  })
  const timer =
    killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== 0 && signal !== 'SIGKILL')
    throw new Error(`seed ${SEED}: ended with ${code ?? signal}`)
  return { killed: signal === 'SIGKILL', result }
}

const root = mkdtempSync(join(tmpdir(), 'neuroblas-kill-'))
const folderOf = (name) => mkdtempSync(join(root, `${name}-`))
try {
  const begin = performance.now()
  const { result: wanted } = await train(folderOf('whole'))
  const duration = performance.now() - begin
  let [kills, cutOff, runs] = [0, 0, 0]
  while (kills < KILLS) {
    const folder = folderOf('killed')
    let killed = true
    let result = ''
    while (killed) {
      const isLast = kills >= KILLS || random() < 0.3
      ;({ killed, result } = await train(folder, isLast ? undefined : random() * duration))
      if (!killed) break
      kills++
      if (filesIn(folder).some((name) => name.endsWith('.tmp'))) cutOff++
    }
    runs++
    if (result !== wanted)
      throw new Error(`seed ${SEED}: run ${runs} ended with ${result}, not ${wanted}`)
    const left = filesIn(folder).filter((name) => !/^run\/checkpoints\/epoch-[^/]*$/.test(name))
    if (left.join() !== FILES[options.keeps]) {
      throw new Error(`seed ${SEED}: run ${runs} left ${left}`)
    }
    rmSync(folder, { recursive: true })
  }
  console.log(`${kills} kills, ${cutOff} of them in a write; ${runs} runs ended alike`)
} finally {
  rmSync(root, { recursive: true, force: true })
}
