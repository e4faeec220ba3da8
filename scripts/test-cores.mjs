// The numerical tests under every set of kernels that this CPU can run. For people, not for CI,
// which takes the machine as it is.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { numerical } from './tiers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const help = `usage: npm run test:cores [-- test/room/name.test.ts ...]

Runs the C++ checks (native/test/) and the numerical tests (scripts/tiers.mjs), or the files given,
once with products by OpenBLAS for each OPENBLAS_CORETYPE from Prescott up to the one in force, once for
each NEUROBLAS_SIMD that this CPU has, and once without OpenBLAS. A line per run, what failed in it, and a
summary; exit code 1 when anything did.
Never goes above the core type in force: an old OpenBLAS may compute wrong results there.
All of it takes about 25 minutes on two cores.`

/** From old to new; what is no name of this OpenBLAS is left out. */
const coreTypes = [
  'Prescott',
  'Core2',
  'Nehalem',
  'Sandybridge',
  'Haswell',
  'Zen',
  'SkylakeX',
  'Cooperlake',
  'SapphireRapids',
]
const simdLevels = ['baseline', 'avx2', 'avx512']

const withEnv = (env) => ({ cwd: root, encoding: 'utf8', env: { ...process.env, ...env } })

const info = (env) =>
  JSON.parse(execFileSync(execPath, ['lib/apps/cli/main.js', 'info', '--json'], withEnv(env)))

/** Where no name of OpenBLAS leads to a library. */
function withoutOpenblas() {
  const folder = `${root}build/without-openblas`
  mkdirSync(folder, { recursive: true })
  for (const name of ['libopenblas.so.0', 'libopenblas.so']) writeFileSync(`${folder}/${name}`, '')
  return { LD_LIBRARY_PATH: folder }
}

/** The environments to test in. */
function environments() {
  const inForce = info({})
  const cores = coreTypes
    .slice(0, coreTypes.indexOf(inForce.core) + 1)
    .filter((core) => info({ OPENBLAS_CORETYPE: core }).core === core)
  if (cores.length === 0) console.log(`${inForce.core} has no older kernels to be compared with`)
  const levels = simdLevels.slice(0, simdLevels.indexOf(inForce.simd) + 1)
  return [
    ...cores.map((core) => ({ OPENBLAS_CORETYPE: core, NEUROBLAS_GEMM: 'openblas' })),
    ...levels.map((level) => ({ NEUROBLAS_SIMD: level })),
    withoutOpenblas(),
  ]
}

/** Runs all of it in an environment; what there is to say of what failed. */
function failuresIn(env, files) {
  const options = { ...withEnv(env), stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 }
  const checks = readdirSync(`${root}build/native-test`).filter((name) => name.endsWith('_test'))
  const programs = [
    ...checks.map((name) => [`build/native-test/${name}`]),
    [execPath, 'scripts/test.mjs', ...files],
  ]
  return programs.flatMap(([command, ...args]) => {
    const { status, stdout, stderr } = spawnSync(command, args, options)
    if (status === 0) return []
    const shown = stdout.split('\n').filter((line) => !line.startsWith('ok  '))
    return [`${command} ${args[0] ?? ''}`, ...shown, ...stderr.split('\n')]
  })
}

function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return
  }
  const files = args.length > 0 ? args : numerical
  execFileSync(execPath, ['scripts/test-native.mjs', '--build-only'], {
    cwd: root,
    stdio: 'inherit',
  })
  const all = environments()
  let failed = 0
  for (const env of all) {
    const begin = performance.now()
    const failures = failuresIn(env, files)
    const seconds = ((performance.now() - begin) / 1000).toFixed(0)
    const name = Object.entries(env).map(([key, value]) => `${key}=${value}`)
    console.log(`${failures.length > 0 ? 'FAIL' : 'ok  '} ${name} (${seconds} s)`)
    if (failures.length > 0) {
      failed++
      console.log(failures.join('\n').replace(/^/gm, '    '))
    }
  }
  console.log(`${all.length - failed} of ${all.length} sets of kernels pass`)
  process.exitCode = failed > 0 ? 1 : 0
}

main(process.argv.slice(2))
