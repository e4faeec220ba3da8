// Installs what the benchmark compares with: Python packages into .bench-venv/, npm packages into
// scripts/bench/peers/node_modules/. Some gigabytes; nothing of it is needed otherwise.
//   node scripts/bench/peers/setup.mjs [python] [npm]      both when none is named
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const venv = fileURLToPath(new URL('../../../.bench-venv', import.meta.url))

function run(command, args) {
  console.log(`$ ${command} ${args.join(' ')}`)
  const { status, error } = spawnSync(command, args, { cwd: here, stdio: 'inherit' })
  if (error) console.error(error.message)
  return status === 0
}

const python = `${venv}/bin/python`
const parts = {
  python: () =>
    (existsSync(python) || run('python3', ['-m', 'venv', venv])) &&
    run(python, ['-m', 'pip', 'install', '--quiet', '-r', 'requirements.txt']),
  npm: () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
}

const named = process.argv.slice(2)
const unknown = named.find((name) => !(name in parts))
if (unknown !== undefined) {
  console.error(`expected python or npm, got ${unknown}`)
  process.exit(2)
}
const failed = Object.keys(parts)
  .filter((name) => named.length === 0 || named.includes(name))
  .filter((name) => !parts[name]())
if (failed.length > 0) {
  console.error(`not installed: ${failed.join(', ')}; their contestants stay "not measured"`)
  process.exit(1)
}
