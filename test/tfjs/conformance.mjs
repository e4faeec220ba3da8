// The own test suite of TensorFlow.js's core (dist/tests.js of its npm package) on one backend.
//   node test/tfjs/conformance.mjs [--external] [--grep REGEX] [--backend cpu]
// The suite is bundled with the backend, so that there is one copy of the core; with --external Node loads
// the backend, and there are two, as in an application that mixes them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import Jasmine from 'jasmine'

const { values: options } = parseArgs({
  options: {
    external: { type: 'boolean', default: false },
    grep: { type: 'string' },
    backend: { type: 'string', default: 'neuroblas' },
  },
})
const module = fileURLToPath(new URL('../../lib/frontends/tfjs/index.js', import.meta.url))

/** What the suite has for every backend: 2 of its 4232 specs are for cpu by name. */
const SPECS = 4230

const entry = `
${options.external ? '' : `import ${JSON.stringify(module)}`}
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import { setTestEnvs, setupTestFilters } from '@tensorflow/tfjs-core/dist/jasmine_util'
jasmine.DEFAULT_TIMEOUT_INTERVAL = 20000
const name = ${JSON.stringify(options.backend)}
setTestEnvs([{ name, backendName: name, isDataSync: true }])
setupTestFilters([], () => true)
require('@tensorflow/tfjs-core/dist/tests')
`

// The addon is found from where a module lies, which a bundle does not know.
const moduleUrls = {
  name: 'module-urls',
  setup: ({ onLoad }) =>
    onLoad({ filter: /lib\/.*\.js$/ }, ({ path }) => {
      if (path.includes('node_modules')) return undefined
      const url = JSON.stringify(pathToFileURL(path).href)
      return {
        contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', url),
        loader: 'js',
      }
    }),
}

async function bundle(outfile) {
  await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    plugins: [moduleUrls],
    // The files that the tests import: else there would be another copy of the core.
    mainFields: ['module', 'main'],
    // Its sideEffects do not name the tests.
    ignoreAnnotations: true,
    external: ['jasmine', 'jasmine-core/*', '*.node'],
  })
}

async function run(file) {
  const runner = new Jasmine({ projectBaseDir: parent })
  runner.loadConfig({ spec_files: [], random: false })
  runner.exitOnCompletion = false
  runner.clearReporters()
  const specs = []
  runner.addReporter({ specDone: (spec) => specs.push(spec) })
  runner.addSpecFile(file)
  // The suite speaks of what it tests to be warned of.
  const { log, warn } = console
  console.log = console.warn = () => {}
  if (options.external) await import(pathToFileURL(module).href)
  await runner.execute(undefined, options.grep)
  Object.assign(console, { log, warn })
  return specs
}

// Where node_modules are found from.
const parent = fileURLToPath(new URL('../../build/', import.meta.url))
mkdirSync(parent, { recursive: true })
const folder = mkdtempSync(join(parent, 'tfjs-'))
try {
  const file = join(folder, 'tests.cjs')
  await bundle(file)
  const specs = await run(file)
  const failed = specs.filter(({ status }) => status === 'failed')
  for (const { fullName, failedExpectations } of failed) {
    console.log(`FAILED ${fullName}: ${failedExpectations[0]?.message.slice(0, 300)}`)
  }
  const passed = specs.filter(({ status }) => status === 'passed').length
  const how = options.external ? 'with two copies of the core' : 'with one copy of the core'
  console.log(`conformance ${how}: ${passed} passed, ${failed.length} failed of ${specs.length}`)
  const isWhole = options.grep !== undefined || specs.length >= SPECS
  if (!isWhole) console.log(`conformance: expected ${SPECS} specs or more`)
  process.exitCode = failed.length > 0 || !isWhole ? 1 : 0
} finally {
  rmSync(folder, { recursive: true })
}
process.exit()
