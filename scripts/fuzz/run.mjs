// Runs the fuzzers, each for a share of the time: one short process after another, each with a seed of its
// own, so that what is found can be repeated.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const FUZZERS = {
  api: ['api.mjs', '--calls', '3000'],
  addon: ['addon.mjs', '--calls', '100000'],
  files: ['files.mjs', '--files', '2000'],
}
/** A process that takes longer than this hangs, in milliseconds. */
const LONGEST = 120_000

const help = `npm run fuzz -- [options]

Calls everything public (api), the addon below it (addon) and the readers of files (files) at random, with
what fits and with what does not. Ends with 1 where something crashes, hangs, or throws what is no error of
the library, and says how to repeat it.

  --seconds N   how long, over all fuzzers; 60 by default
  --seed N      the first seed, from which it counts up; the time of day by default
  --only NAMES  some of ${Object.keys(FUZZERS).join(', ')}, with commas between
  --help        this text`

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    only: { type: 'string', default: Object.keys(FUZZERS).join(',') },
    help: { type: 'boolean', default: false },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const names = options.only.split(',')
const [seconds, first] = [Number(options.seconds), Number(options.seed)]
const unknown = names.find((name) => !Object.hasOwn(FUZZERS, name))
if (unknown !== undefined || !(seconds >= 0) || !Number.isSafeInteger(first)) {
  console.error(
    `fuzz: expected the options below, got ${process.argv.slice(2).join(' ')}\n\n${help}`,
  )
  process.exit(2)
}

/** One process; what it printed, and how it ended. */
function start(name, seed, ...more) {
  const [script, ...args] = FUZZERS[name]
  const path = fileURLToPath(new URL(script, import.meta.url))
  return spawnSync(process.execPath, [path, ...args, '--seed', `${seed}`, ...more], {
    encoding: 'utf8',
    timeout: LONGEST,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 30,
  })
}

/** What went wrong, with the call that it was doing where it did not come back. */
function report(name, seed, { status, signal, stderr }) {
  const [script, ...args] = FUZZERS[name]
  console.error(`${name}: seed ${seed} ended with ${signal ?? status}; to repeat it:`)
  console.error(`  node scripts/fuzz/${script} ${args.join(' ')} --seed ${seed}`)
  console.error(stderr)
  if (signal === null || name === 'addon') return
  const trace = start(name, seed, '--trace').stderr.trimEnd().split('\n')
  console.error(`the last call: ${trace.at(-1)}`)
}

let failures = 0
console.log(`seed ${first}`)
for (const name of names) {
  const end = Date.now() + (1000 * seconds) / names.length
  let seed = first
  do {
    const result = start(name, seed)
    if (result.status !== 0) {
      report(name, seed, result)
      failures++
    }
    seed++
  } while (Date.now() < end)
  console.log(`${name}: seeds ${first} to ${seed - 1}`)
}
process.exit(failures > 0 ? 1 : 0)
