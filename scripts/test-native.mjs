// Compiles and runs the plain C++ checks in native/test/, each a program with its own main().
// They are linked with the addon's own objects, so that they check what is shipped; a check can
// use everything that does not need Node, and has all kernels in its registry.
//   node scripts/test-native.mjs [--build-only]
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const buildOnly = process.argv.includes('--build-only')
const root = fileURLToPath(new URL('..', import.meta.url))
const objects = 'build/Release/obj.target/neuroblas/native'
const out = 'build/native-test'
const library = `${out}/libneuroblas.a`

const words = (text) => text.trim().split(/\s+/)
/** The addon's compiler flags; binding.gyp is written as strict JSON for this. */
const { targets } = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8'))
const flags = targets[0].cflags_cc

const run = (command, args) =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0

rmSync(join(root, out), { recursive: true, force: true })
mkdirSync(join(root, out))
// Not what lies in the folder: objects of sources that have moved stay there.
const sources = words(readFileSync(join(root, 'native/sources'), 'utf8'))
const objectsOf = (files) => files.map((file) => `${objects}/${file.replace(/\.cc$/, '.o')}`)
const kernels = objectsOf(sources.filter((file) => /^(kernels|gemm)\//.test(file)))
// From an archive the linker takes only the objects that the check asks for.
let ok = run('ar', ['rcs', library, ...objectsOf(sources)])
const tests = readdirSync(join(root, 'native/test')).filter((file) => file.endsWith('.cc'))
for (const source of tests.map((file) => `native/test/${file}`)) {
  console.log(`== ${source}`)
  const program = join(out, source.replace(/.*\//, '').replace(/\.cc$/, ''))
  const link = [source, ...kernels, library, '-pthread', '-ldl', '-o', program]
  const built = run(process.env.CXX ?? 'g++', [...flags, '-Inative', ...link])
  ok = built && (buildOnly || run(join(root, program), [])) && ok
}
const done = buildOnly ? 'built' : 'passed'
console.log(ok ? `native checks ${done}` : 'native checks FAILED')
process.exit(ok ? 0 : 1)
