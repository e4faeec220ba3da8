/**
 * The package as others get it: packed, installed in a project of theirs, run, type-checked, bundled.
 * Scripts do not run when it is installed, as in npm 12.
 */
import { execFile, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import t from 'tap'
import webpack from 'webpack'
import { bareNode } from './support/cli.js'

const root = fileURLToPath(new URL('..', import.meta.url))
// Not in the clone, whose packages would be found from there.
const project = mkdtempSync(join(tmpdir(), 'neuroblas-project-'))
const installed = join(project, 'node_modules', 'neuroblas')
t.teardown(() => rmSync(project, { recursive: true }))

interface Ended {
  code: unknown
  stdout: string
  stderr: string
}

/** How a program ends that is run in the project's folder, and what it writes. */
function run(command: string, ...args: string[]): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_|NEUROBLAS_)/.test(name))
  const options = { cwd: project, env: Object.fromEntries(kept) }
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    )
  })
}

const node = (...args: string[]) => run(process.execPath, ...args)

const program = `
  import { digits, getBackend, iris, matmul, table, tensor } from 'neuroblas'
  console.log(matmul(tensor([[1, 2]]), tensor([[3], [4]])).item(), getBackend())
  try {
    console.log(digits().size, iris().size)
  } catch (error) {
    console.log(\`\${error}\`)
  }
  table('rows.csv', { target: 'kind' }).then(({ train }) => console.log(train.size))`

const typed = `
  import { digits, fit, type TrainingHistory, mlp, SGD, softmaxCrossEntropy } from 'neuroblas'
  import { gemm } from 'neuroblas/blas'
  import { Sequential } from 'neuroblas/keras'
  import { lines } from 'neuroblas/plot'
  import { MLPClassifier } from 'neuroblas/sklearn'
  const model = mlp([64, 10])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const options = { loss: softmaxCrossEntropy, optimizer, epochs: 1 }
  export const history: Promise<TrainingHistory> = fit(model, digits(), options)
  export { gemm, lines, MLPClassifier, Sequential }`

writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
writeFileSync(join(project, 'program.js'), program)
writeFileSync(join(project, 'rows.csv'), `size,kind\n${'1,a\n2,b\n'.repeat(5)}`)
writeFileSync(join(project, 'typed.ts'), typed)

/** The binary of this machine's kind; on other systems than Linux there is none. */
const binary = `prebuilds/linux-${process.arch}/neuroblas.glibc.node`
const noBinary = process.platform !== 'linux' && 'binaries are made for Linux alone'

t.test('npm pack: what a consumer needs', async (t) => {
  if (!noBinary) await node(join(root, 'scripts/prebuilds.mjs'), `linux-${process.arch}`)
  const { stdout } = await run(
    'npm',
    'pack',
    root,
    '--ignore-scripts',
    '--json',
    '--loglevel=error',
  )
  const [{ filename, files }] = JSON.parse(stdout)
  const paths: string[] = files.map(({ path }: { path: string }) => path)
  for (const path of [
    'LICENSE',
    'binding.gyp',
    'native/sources',
    'native/napi/addon.cc',
    'data/iris.csv',
    'lib/types/index.d.ts',
    'lib/apps/cli/main.js',
    'src/apps/lecture/page.css',
    'src/apps/lecture/xor.ts',
    ...(noBinary ? [] : [binary]),
  ]) {
    t.ok(paths.includes(path), path)
  }
  const needless =
    /\.(svg|png|o)$|^(?!prebuilds\/).*\.node$|^(test|scripts|build|lecture)\/|native\/test|\.stamp|^lib\/(?!types).*\.d\.ts$/
  t.strictSame(
    paths.filter((path) => needless.test(path)),
    [],
  )
  await run('npm', 'install', `./${filename}`, '--ignore-scripts', '--prefer-offline', '--no-audit')
})

t.test(
  'installed: the package under 6 MB, and under 4 MB in all but binaries and csv-parse',
  async (t) => {
    const modules = join(project, 'node_modules')
    const bytes = { ofPackage: 0, binaries: 0, csvParse: 0, others: 0 }
    const files = readdirSync(modules, { recursive: true, encoding: 'utf8' })
      .map((file) => ({ file, stat: statSync(join(modules, file)) }))
      .filter(({ stat }) => stat.isFile())
    for (const { file, stat } of files) {
      if (file.startsWith('neuroblas/')) bytes.ofPackage += stat.size
      if (file.startsWith('neuroblas/prebuilds')) bytes.binaries += stat.size
      // Most of which is for browsers.
      else bytes[file.startsWith('csv-parse') ? 'csvParse' : 'others'] += stat.size
    }
    const said = JSON.stringify(bytes)
    t.ok(files.length > 100 && bytes.others < 4e6, said)
    t.ok(bytes.ofPackage < 6e6, said)
    t.ok(bytes.csvParse > 0 && bytes.csvParse < 1.7e6, said)
  },
)

t.test('it runs natively, though no script has run', { skip: noBinary }, async (t) => {
  const { stdout, stderr } = await node('program.js')
  t.strictSame({ stdout, stderr }, { stdout: '11 native\n1797 150\n8\n', stderr: '' })
  const { code } = await run('npm', 'rebuild', 'neuroblas')
  t.equal(code, 0)
  t.notOk(existsSync(join(installed, 'build')), 'its install script does not build what it has')
})

const alone = ['--mount', '--pid', '--fork', '--root=/', '--mount-proc', 'true']
const noRoots = noBinary || (spawnSync('unshare', alone).status !== 0 && 'no right to change roots')

t.test('it runs natively where there is nothing but Node', { skip: noRoots }, async (t) => {
  const script = join(root, 'scripts/test-bare.mjs')
  const { code, stdout, stderr } = await run(...bareNode, script, `linux-${process.arch}`)
  t.equal(code, 0, stderr)
  t.match(stdout, /^backend +native\n.*\nOpenBLAS +not loaded \(libopenblas.so.0: cannot open/m)
  t.match(
    stdout,
    /^digits: accuracy 0\.9.*\n.* the same bits .*\ntensors: .*\nFloat32Array: .*\nFloat64Array: .*$/m,
  )
})

t.test('it runs; without the addon, after a warning that says what to do', async (t) => {
  rmSync(join(installed, 'prebuilds'), { recursive: true, force: true })
  const { stdout, stderr } = await node('program.js')
  t.equal(stdout, '11 js\n1797 150\n8\n', stderr)
  t.match(stderr, /NeuroblasWarning: .*npm install-scripts approve neuroblas && npm rebuild/)
})

t.test('its types show nothing internal', async (t) => {
  const types = readFileSync(join(installed, 'lib/types/tensor/tensor.d.ts'), 'utf8')
  t.match(types, /export declare class Tensor/)
  t.notMatch(types, /\b(storage|handle)\b|constructor| {2}node:/)
})

t.test('its types need those of Node as little as those of browsers', async (t) => {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022'],
    module: 'nodenext',
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  }
  const config = { compilerOptions, files: ['typed.ts'] }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
  const ended = await node(join(root, 'node_modules', 'typescript', 'bin', 'tsc'))
  t.strictSame(ended, { code: 0, stdout: '', stderr: '' })
})

t.test('charts and the lecture: what is missing is named', async (t) => {
  const draw = (call: string) =>
    node(
      '-e',
      `import('neuroblas/plot').then((plot) => plot.${call}).catch((e) => console.log(e.message))`,
    )
  t.match((await draw('lines({ a: [1] })')).stdout, '`npm install vega vega-lite`')
  t.match((await draw('toPng("<svg/>")')).stdout, '`npm install @resvg/resvg-js`')
  const command = join(project, 'node_modules', '.bin', 'neuroblas')
  const { code, stdout, stderr } = await run(command, 'lecture')
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, '`npm install vega vega-lite @resvg/resvg-js temml`')
})

type Format = 'esm' | 'cjs'
const fileOf = (bundler: string, format: Format, external: boolean) =>
  `${bundler}${external ? '-external' : ''}.${format === 'esm' ? 'mjs' : 'cjs'}`

async function bundleByEsbuild(format: Format, external: boolean): Promise<string> {
  const outfile = fileOf('esbuild', format, external)
  const { warnings, metafile } = await build({
    entryPoints: ['program.js'],
    absWorkingDir: project,
    bundle: true,
    platform: 'node',
    format,
    outfile,
    packages: external ? 'external' : 'bundle',
    metafile: true,
    logLevel: 'silent',
  })
  t.strictSame(warnings, [], outfile)
  const inputs = Object.keys(metafile.inputs).sort()
  const library = ['index.js', 'neuroblas.js'].map((file) => `node_modules/neuroblas/lib/${file}`)
  t.strictSame(
    inputs.filter((file) => !file.startsWith('node_modules/csv-parse/lib/')),
    [...(external ? [] : library), 'program.js'],
    'two files to load, and what reads tables when there are any',
  )
  const modules = Object.values(metafile.inputs).flatMap(({ imports }) => imports)
  t.notOk(modules.some(({ path }) => path === 'node:child_process'))
  return outfile
}

function bundleByWebpack(format: Format, external: boolean): Promise<string> {
  const filename = fileOf('webpack', format, external)
  const isModule = format === 'esm'
  const config: webpack.Configuration = {
    mode: 'production',
    target: 'node20',
    context: project,
    entry: './program.js',
    devtool: false,
    optimization: { minimize: false },
    output: { path: project, filename, module: isModule },
    experiments: { outputModule: isModule },
    ...(external && { externals: ['neuroblas'], externalsType: isModule ? 'module' : 'commonjs' }),
  }
  return new Promise((resolve, reject) => {
    webpack(config, (error, stats) => {
      if (error) return reject(error)
      const { errors, warnings } = stats!.toJson({ all: false, errors: true, warnings: true })
      t.strictSame(
        [...errors!, ...warnings!].map(({ message }) => message),
        [],
        filename,
      )
      resolve(filename)
    })
  })
}

t.test('bundles', async (t) => {
  const bundled: string[] = []
  const external: string[] = []
  for (const format of ['esm', 'cjs'] as const) {
    for (const bundle of [bundleByEsbuild, bundleByWebpack]) {
      bundled.push(await bundle(format, false))
      external.push(await bundle(format, true))
    }
  }
  for (const file of bundled) {
    const { stdout, stderr } = await node(file)
    t.equal(stdout, '11 js\n1797 150\n8\n', `${file}: the data are found, the addon is not built`)
    t.match(stderr, 'Going on in pure JavaScript')
  }
  cpSync(
    join(root, 'build', 'Release', 'neuroblas.node'),
    join(installed, 'build', 'Release', 'neuroblas.node'),
  )
  for (const file of [...external, ...bundled]) {
    const expected = { code: 0, stdout: '11 native\n1797 150\n8\n', stderr: '' }
    t.strictSame(await node(file), expected, file)
  }
  renameSync(installed, join(project, 'elsewhere'))
  for (const file of bundled) {
    const { stdout, stderr } = await node(file)
    t.match(stdout, /^11 js\nMissingPackageError: neuroblas: expected its package/, file)
    t.match(stderr, /NeuroblasWarning: native addon: .*--packages=external.*externals/)
  }
})
