// The quick checks for people and CI: format, lint, types, import rules, documentation of all that is
// public, and the smoke test.
//   npm run check          checks
//   npm run format         formats, and applies the linter's safe corrections
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules', name)
const smokeTest = 'test/smoke.test.ts'

const cppFiles = () =>
  readdirSync(join(root, 'native'), { recursive: true })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => join('native', file))

function run(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit' })
}

function clangFormat(args) {
  const { status, error } = run('clang-format', [...args, ...cppFiles()])
  if (error?.code !== 'ENOENT') return status === 0
  console.log('skipped: clang-format is not installed')
  return true
}

const biome = (...args) =>
  run(execPath, [bin('@biomejs/biome/bin/biome'), 'check', ...args]).status === 0
const types = (config) =>
  run(execPath, [bin('typescript/bin/tsc'), '-p', config, '--noEmit']).status === 0
const importRules = () =>
  run(execPath, [
    bin('dependency-cruiser/bin/dependency-cruise.mjs'),
    '--config',
    '.dependency-cruiser.mjs',
    'src',
  ]).status === 0

const documentation = () =>
  run(execPath, [bin('typedoc/bin/typedoc'), '--emit', 'none']).status === 0

const checks = {
  'format and lint (biome)': () => biome('--error-on-warnings'),
  'C++ format (clang-format)': () => clangFormat(['--dry-run', '--Werror']),
  'types of src': () => types('tsconfig.json'),
  'types of test': () => types('tsconfig.test.json'),
  'import rules (dependency-cruiser)': () => importRules(),
  'documentation of what is public (typedoc)': () => documentation(),
  'smoke test': () => {
    if (!existsSync(join(root, smokeTest))) return true
    return run(execPath, [join(root, 'scripts/test.mjs'), smokeTest]).status === 0
  },
}

const fixes = {
  'biome --write': () => biome('--write'),
  'clang-format -i': () => clangFormat(['-i']),
}

const failed = []
for (const [name, check] of Object.entries(process.argv.includes('--fix') ? fixes : checks)) {
  console.log(`== ${name}`)
  if (!check()) failed.push(name)
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join('; ')}. \`npm run format\` mends what is only format.`)
  process.exit(1)
}
