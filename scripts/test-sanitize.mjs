// Builds the addon with sanitizers and runs the suite, or the files given, on that build.
//   node scripts/test-sanitize.mjs address|undefined|thread|address,undefined [test/room/name.test.ts ...]
import { execFileSync, spawnSync } from 'node:child_process'
import { execPath, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import { buildWithCMake } from './build-cmake.mjs'

const [sanitize = 'address,undefined', ...files] = process.argv.slice(2)
const addon = buildWithCMake({ sanitize })

// Node itself is not instrumented, so the run-time library must be there before it starts.
const runtime = { address: 'libasan.so', thread: 'libtsan.so' }
const preload = sanitize.split(',').flatMap((name) => {
  const file = `-print-file-name=${runtime[name]}`
  return name in runtime ? execFileSync('g++', [file], { encoding: 'utf8' }).trim() : []
})
const suppressions = fileURLToPath(new URL('../test/tsan.supp', import.meta.url))
const env = {
  ...process.env,
  NEUROBLAS_ADDON: addon,
  NEUROBLAS_BACKEND: 'native',
  // For the test processes only: tap and the compiler would be slow under it.
  TAP_TEST_ENV: `LD_PRELOAD=${preload.join(' ')}`,
  // V8 and Node leak on purpose when they exit.
  ASAN_OPTIONS: 'detect_leaks=0',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: `ignore_noninstrumented_modules=1 suppressions=${suppressions}`,
  TAP_TIMEOUT: '600',
}
const test = fileURLToPath(new URL('test.mjs', import.meta.url))
exit(spawnSync(execPath, [test, ...files], { env, stdio: 'inherit' }).status ?? 1)
