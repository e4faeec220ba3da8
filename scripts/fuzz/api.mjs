// Calls everything public at random, well-formed and hostile: whatever is passed, it is computed or
// refused with an error of the library. Anything else, such as a TypeError from within, is a finding; so
// is a call that does not come back, or that ends this process (scripts/fuzz/run.mjs watches for these).
//   node scripts/fuzz/api.mjs [--calls 5000] [--seed 1] [--trace]
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { isOutside, live, makeArguments, pool } from './apiValues.mjs'
import { randomOf } from './random.mjs'

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    // Writes each call before it is made: the last one is that which did not come back.
    trace: { type: 'boolean', default: false },
  },
})
const [CALLS, SEED] = [Number(options.calls), Number(options.seed)]
const choices = randomOf(SEED)
const { pick, chance } = choices

// Names of files that are made up lie here.
const folder = mkdtempSync(join(tmpdir(), 'neuroblas-fuzz-'))
process.chdir(folder)
process.on('warning', () => {})
process.removeAllListeners('warning')

const shown = (value) => {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 6, breakLength: Infinity }).slice(0, 200)
  } catch {
    return `${typeof value} that cannot be shown`
  }
}

const NeuroblasError = pool.NeuroblasError
const accepted = {}
const refused = {}
const findings = new Map()

function trace(text) {
  if (options.trace) writeSync(2, `${text}\n`)
}

/** The error classes that a call may throw: the library's, and those of the file system. */
const isExpected = (error) =>
  error instanceof NeuroblasError ||
  (error instanceof Error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code))

async function attempt(name, call, args) {
  trace(`${name}(${args.map(shown).join(', ')})`)
  try {
    const result = await call()
    accepted[name] = (accepted[name] ?? 0) + 1
    return result
  } catch (error) {
    refused[name] = (refused[name] ?? 0) + 1
    if (isExpected(error) || isOutside(error)) return undefined
    const key = `${name}: ${error?.name}: ${String(error?.message).slice(0, 80)}`
    if (!findings.has(key)) {
      findings.set(key, `${name}(${args.map(shown).join(', ')})\n${error?.stack ?? error}`)
    }
    return undefined
  }
}

/** A public function, or a class that is made. */
async function callExport() {
  const [name, { target, isClass, parameters }] = pick(live.exports)
  const args = makeArguments(choices, parameters)
  const result = await attempt(
    name,
    () => (isClass ? Reflect.construct(target, args) : target(...args)),
    args,
  )
  live.keep(result)
}

/** A method, a getter or a setter of something that was made. */
async function callMethod() {
  const object = live.pick(choices)
  const members = live.membersOf(object)
  if (members.length === 0) return
  const [key, { value, get, set }] = pick(members)
  const name = `${object.constructor?.name}.${String(key)}`
  if (get || set) {
    const argument = makeArguments(choices, ['any'])
    const write = set && chance(0.3)
    const use = () => (write ? Reflect.set(object, key, argument[0]) : object[key])
    live.keep(await attempt(name, use, write ? argument : []))
    return
  }
  if (typeof value !== 'function') return
  const args = makeArguments(choices, live.parametersOf(choices, object, key, value))
  live.keep(await attempt(name, () => object[key](...args), args))
}

process.on('unhandledRejection', (error) => {
  findings.set(`unhandled: ${error}`, `a promise that nobody waits for\n${error?.stack ?? error}`)
})

console.log(`seed ${SEED}`)
for (let call = 1; call <= CALLS; call++) {
  await (chance(0.5) ? callExport() : callMethod())
  if (call % 100 === 0) live.renew(choices)
}
live.end()
process.chdir('/')
rmSync(folder, { recursive: true })
for (const [, finding] of findings) console.error(`seed ${SEED}: ${finding}\n`)
if (findings.size > 0) {
  console.error(`${findings.size} findings`)
  process.exit(1)
}
const never = live.exports.map(([name]) => name).filter((name) => !accepted[name])
if (CALLS >= 20_000 && never.length > 0) throw new Error(`never accepted: ${never.join(', ')}`)
const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0)
console.log(`${sum(accepted)} calls computed, ${sum(refused)} refused`)
console.log(`${CALLS} calls`)
