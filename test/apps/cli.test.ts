/**
 * The command line as people use it: a process per case, its exit code, what it prints and the
 * files it leaves.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { saveModel } from '../../lib/io/model.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { mlp } from '../../lib/nn/sequential.js'
import { Generator } from '../../lib/tensor/random.js'
import { root, runCommand, train } from '../support/cli.js'

const isNativeHere = JSON.parse((await runCommand(['info', '--json'])).stdout).backend === 'native'

t.test('help and version', async (t) => {
  const program = await runCommand(['--help'])
  t.equal(program.code, 0)
  t.equal(program.stderr, '')
  for (const name of [
    'train',
    'eval',
    'predict',
    'info',
    'bench',
    'reproduce',
    'lecture',
    'start',
  ]) {
    t.match(program.stdout, new RegExp(`^  ${name} .*\\w`, 'm'), `${name} is listed`)
    const help = await runCommand([name, '--help'])
    t.equal(help.code, 0, `${name} --help`)
    t.match(help.stdout, `Usage: neuroblas ${name} `)
    t.match(help.stdout, /\n\n[A-Z][^:]+\.\n\n/, 'a sentence says what it does')
    t.match(help.stdout, 'Examples:\n')
    t.equal(help.stderr, '')
  }
  const explained = await runCommand(['help', 'train'])
  t.equal(explained.code, 0)
  t.equal(explained.stdout, (await runCommand(['train', '--help'])).stdout)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.match(await runCommand(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
  t.match(await runCommand([]), { code: 2, stdout: '', stderr: /^Usage: neuroblas/ })
})

t.test('wrong arguments: one clear line, exit code 2', async (t) => {
  const cases: [string[], RegExp][] = [
    [['foo'], /unknown command 'foo'/],
    [['--foo'], /unknown option '--foo'/],
    [['train'], /missing required argument 'data'/],
    [['train', 'digits', 'iris'], /too many arguments/],
    [['train', 'digits', '--epoch', '3'], /unknown option '--epoch' \(Did you mean --epochs\?\)/],
    [['train', 'digits', '--epochs'], /'--epochs <n>' argument missing/],
    [['train', 'digits', '--epochs', '0'], /--epochs: expected an integer >= 1, got "0"/],
    [['train', 'digits', '--epochs', '1.5'], /--epochs: expected an integer >= 1, got "1\.5"/],
    [['train', 'digits', '--batch-size', 'x'], /--batch-size: expected an integer >= 1, got "x"/],
    [['train', 'digits', '--threads', '0'], /--threads: expected an integer >= 1, got "0"/],
    [['train', 'digits', '--lr', '0'], /--lr: expected a number > 0, got "0"/],
    [['train', 'digits', '--lr', '-1'], /--lr: expected a number > 0, got "-1"/],
    [['train', 'digits', '--lr', '1e999'], /--lr: expected a number > 0, got "1e999"/],
    [['train', 'digits', '--lr', '0x10'], /--lr: expected a number > 0, got "0x10"/],
    [['train', 'digits', '--lr', 'a\nb'], /--lr: expected a number > 0, got "a\\nb"/],
    [['train', 'digits', '--momentum', '1'], /--momentum: expected a number from 0 to below 1, g/],
    [['train', 'digits', '--l1', '-0.1'], /--l1: expected a number >= 0, got "-0\.1"/],
    [['train', 'digits', '--l2', 'NaN'], /--l2: expected a number >= 0, got "NaN"/],
    [['train', 'digits', '--seed', '-1'], /--seed: expected an integer from 0 to 2\^53 - 1, got/],
    [['train', 'digits', '--seed', '9007199254740992'], /--seed: expected an integer from 0 to 2/],
    [['train', 'digits', '--layers', ''], /--layers: expected units as in 256 or 256,128.*got ""/],
    [['train', 'digits', '--layers', '64,0'], /--layers: expected units.*got "64,0"/],
    [['train', 'digits', '--layers', '9999999'], /--layers: .*1 to 65536.*got "9999999"/],
    [['train', 'digits', '--activation', 'foo'], /expected relu, sigmoid or tanh, got "foo"/],
    [['train', 'digits', '--loss', 'foo'], /--loss: expected cross-entropy, mse.*got "foo"/],
    [['train', 'digits', '--dropout', '1'], /--dropout: expected a number from 0 to below 1, got/],
    [
      ['train', 'digits', '--optimizer', 'lbfgs'],
      /--optimizer: expected sgd, adam, .* or lion, got "lbfgs"/,
    ],
    [['train', 'digits', '--patience', '0'], /--patience: expected an integer >= 1, got "0"/],
    [
      ['train', 'digits', '--optimizer', 'adam', '--momentum', '0.5'],
      /--momentum: expected with sgd alone, got 0\.5 with adam/,
    ],
    [['train', 'iris', '--network', 'conv'], /--network: expected dense for what are no images/],
    [['train', 'digits', '--network', 'deep'], /expected dense or conv, got "deep"/],
    [['train', 'digits', '--filters', '8'], /--filters: expected with --network conv alone/],
    [
      ['train', 'digits', '--network', 'conv', '--filters', 'none'],
      /--filters.*filters of one stage or more/,
    ],
    [
      ['train', 'digits', '--network', 'conv', '--filters', '8,8,8,8'],
      /convnet: expected at most 3 stages, each of which halves an image of 8 x 8, got 4/,
    ],
    [['train', 'iris', '--target', 'species'], /--target: expected with a table alone, got iris/],
    [['train', 'iris', '--missing-values', '?'], /--missing-values: expected with a table alone/],
    [['train', 'a.csv', '--task', 'cluster'], /--task: expected classify or regress, got "clu/],
    [
      ['train', 'a.csv', '--missing', 'guess'],
      /--missing: expected refuse, drop or impute, got "gu/,
    ],
    [['train', 'a.csv', '--header', 'maybe'], /--header: expected true or false, got "maybe"/],
    [['train', 'a.csv', '--delimiter', '::'], /--delimiter: expected one character, tab or blanks/],
    [
      ['train', 'a.csv', '--task', 'regress', '--loss', 'hinge'],
      /--loss: expected mse or huber to regress, got hinge/,
    ],
    [['train', 'digits', '--backend', 'gpu'], /--backend: expected native or js, got "gpu"/],
    [['eval', 'm.safetensors'], /missing required argument 'data'/],
    [['predict', 'm.safetensors'], /missing required argument 'input'/],
    [['info', 'a', 'b'], /too many arguments/],
    [['bench', '--nope'], /unknown option '--nope'/],
    [['start', '--js-seconds', '0'], /--js-seconds: expected a number > 1, got "0"/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(args)
    const name = args.join(' ')
    t.equal(code, 2, `${name}: exit code`)
    t.match(stderr, message, name)
    t.match(stderr, /^neuroblas: [^\n]+\n$/, `${name}: one line`)
    t.equal(stdout, '', `${name}: nothing else`)
  }
})

t.test('what cannot be done: one clear line, exit code 1', async (t) => {
  const cwd = t.testdir({
    folder: {},
    text: 'no model',
    'text.txt': 'no model',
    'rows.csv': '1,2,3\n',
    'semicolons.csv': '1;2;3;4\n',
    'classes.csv': '1,2,3,4,setosa\n1,2,3,4,tulip\n',
  })
  await train(['iris', '--epochs', '1', '--save', 'iris.safetensors'], { cwd })
  const model = decodeSafetensors(readFileSync(join(cwd, 'iris.safetensors')), 'iris')
  const changed = { ...model.metadata, preprocessing: '{"mean":[1,2],"scale":[1]}' }
  const entries = [...model.tensors].map(([name, { shape, data }]) => [name, { shape, data }])
  writeFileSync(
    join(cwd, 'changed.safetensors'),
    encodeSafetensors(new Map(entries as never), changed),
  )
  const images = Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
  writeFileSync(join(cwd, 'images'), images)
  const iris = 'iris.safetensors'
  const cases: [string[], RegExp, string?][] = [
    [
      ['train', 'nosuch'],
      /nosuch: expected mnist, .* a folder of images or .*, got nothing of that name/,
    ],
    [
      ['train', 'text'],
      /text: expected mnist, .*, a table .*, a folder of images or .*, got a file/,
    ],
    [['train', 'text.txt'], /text\.txt: expected rows after the line of names, got none/],
    [['train', 'folder'], /folder: expected train-labels-idx1-ubyte/],
    [['train', 'digits', '--save', 'no/m'], /--save no\/m: expected a file in an existing folder/],
    [
      ['train', 'digits', '--save', 'folder'],
      /--save folder: expected a regular file or none, got a folder/,
    ],
    [['train', 'nosuch.csv'], /nosuch\.csv: expected a readable file, got no such file or folder/],
    [['train', 'semicolons.csv'], /semicolons\.csv: expected 2 classes or more in 3, got 4/],
    [['train', 'rows.csv'], /rows\.csv: expected 2 classes or more in 2, got 3/],
    [['eval', iris, 'classes.csv'], /classes\.csv: expected one of.*setosa.*, got "tulip"/],
    [['eval', iris, 'rows.csv'], /rows\.csv: expected 4 columns, the features, or 5, .* got 3/],
    [['eval', 'nosuch', 'iris'], /nosuch: /],
    [['eval', 'text.txt', 'iris'], /text\.txt: expected/],
    [['eval', iris, 'nosuch'], /nosuch: expected mnist/],
    [['eval', iris, 'digits'], /digits: expected 4 features and 3 classes.*got 64 and 10/],
    [['eval', 'changed.safetensors', 'iris'], /changed\.safetensors: expected preprocessing \{/],
    [
      ['predict', iris, 'nosuch.csv'],
      /nosuch\.csv: expected a readable file, got no such file or folder/,
    ],
    [['predict', iris, 'folder'], /folder: expected a file, got a folder/],
    [['predict', iris, 'rows.csv'], /rows\.csv: expected 4 columns, the features, or 5, .* got 3/],
    [['predict', iris, 'images'], /images: expected images of 4 pixels.*shape \[1, 2, 3\]/],
    [
      ['predict', iris, '-'],
      /standard input: expected numbers in column 1, got "x" on line 2/,
      '1,2,3,4\n1,',
    ],
    [['predict', iris, '-'], /standard input: expected rows, got none/],
    [
      ['predict', iris, '-'],
      /standard input: expected a value in every cell, .* such as 3 on line 2;/,
      '1,2,3,4\n',
    ],
  ]
  for (const [args, message, input] of cases) {
    const { code, stdout, stderr } = await runCommand(args, {
      cwd,
      input: input && `${input}x,3,4\n`,
    })
    const name = args.join(' ')
    t.equal(code, 1, `${name}: exit code`)
    t.match(stderr, message, name)
    t.match(stderr, /^neuroblas: [^\n]+\n$/, `${name}: one line`)
    t.equal(stdout, '', `${name}: nothing was begun`)
  }
  const debug = await runCommand(['train', 'nosuch'], { env: { NEUROBLAS_DEBUG: '1' } })
  t.match(debug, { code: 1, stderr: /DataError: nosuch.*\n +at / })
  t.match(await runCommand(['train', 'iris', '--lr', '1e6'], { cwd }), {
    code: 1,
    stderr: /the loss bec/,
  })
})

t.test('info of a model: a file, a set of them, what is none', async (t) => {
  const cwd = t.testdir()
  const model = mlp([3, 2], { generator: new Generator(1) })
  for (const maxShardSize of [1000, 24]) {
    saveModel(model, `${cwd}/m.safetensors`, { note: 'two\nlines' }, { maxShardSize })
    const { stdout } = await runCommand(['info', 'm.safetensors'], { cwd })
    t.match(stdout, /^m\.safetensors: 2 tensors of 8 values, 0\.0 KiB\n/)
    t.match(stdout, /^layers\.0\.weight +F32 +\[3, 2\] /m)
    t.match(stdout, /^note +two\\nlines$/m)
    const json = JSON.parse((await runCommand(['info', 'm.safetensors', '--json'], { cwd })).stdout)
    t.match(json, { values: 8, bytes: 32, metadata: { layout: 'inputOutput' } })
    t.equal(json.tensors.length, 2)
  }
  const none = await runCommand(['info', 'none'], { cwd })
  t.match(none, { code: 1, stderr: 'neuroblas: none: expected a model file, found nothing\n' })
})

t.test('info of an ONNX file, also of one that cannot be computed here', async (t) => {
  const file = fileURLToPath(new URL('../fixtures/onnx/sklearn-table.onnx', import.meta.url))
  const { stdout } = await runCommand(['info', file])
  t.match(stdout, /ONNX of skl2onnx [\d.]+, ai\.onnx 16, ai\.onnx\.ml 1; 64 values/)
  t.match(stdout, /input {3}town +string +\[\?, 1\]\noutput {2}label +int64 +\[\?\]/)
  const { operators, outputs } = JSON.parse((await runCommand(['info', file, '--json'])).stdout)
  t.equal(operators.MatMul, 2)
  t.strictSame(outputs[1], { name: 'probabilities', dtype: 'float32', shape: ['?', 3] })
  const cwd = t.testdir({ 'none.onnx': 'none' })
  const none = await runCommand(['info', 'none.onnx'], { cwd })
  t.equal(none.code, 1)
  t.match(none.stderr, /none\.onnx: expected/)
})

t.test('predict by an ONNX file', async (t) => {
  const fixture = (name: string) =>
    fileURLToPath(new URL(`../fixtures/onnx/${name}.onnx`, import.meta.url))
  const cwd = t.testdir({ 'rows.csv': 'a,b,c,d\n5,0,0,0\n-5,0,0,0\n' })
  const { stdout } = await runCommand(['predict', fixture('sklearn-binary'), 'rows.csv'], { cwd })
  t.match(stdout, /row +output_label +output_probability 0 +output_probability 1\n +1 +yes +0\.\d+/)
  const json = await runCommand(['predict', fixture('mlp-script'), '-', '--json'], {
    cwd,
    input: '1,2,3,4,5,6\n',
  })
  const answer = JSON.parse(json.stdout)
  t.equal(answer.row, 1)
  t.equal(answer.y.length, 3)
  for (const [args, message] of [
    [
      [fixture('sklearn-table'), 'rows.csv'],
      /expected inputs that are columns of numbers, got a: float32 \[\?, 1\]/,
    ],
    [[fixture('mlp-script'), 'rows.csv'], /expected 6 columns, the features, or 7/],
    [['none.onnx', 'rows.csv'], /none\.onnx: expected a model file, found nothing/],
  ] as const) {
    const found = await runCommand(['predict', ...args], { cwd })
    t.equal(found.code, 1)
    t.match(found.stderr, message)
  }
})

t.test('info', async (t) => {
  const js = await runCommand(['info', '--json'], { env: { NEUROBLAS_BACKEND: 'js' } })
  t.match(JSON.parse(js.stdout), {
    backend: 'js',
    engine: null,
    threads: 1,
    memory: { live: 0, buffers: 0 },
  })
  const missing = { NEUROBLAS_ADDON: '/nowhere/neuroblas.node' }
  const without = await runCommand(['info', '--json'], { env: missing })
  t.match(without, { code: 0, stderr: '' })
  t.match(JSON.parse(without.stdout), {
    backend: 'js',
    openblas: null,
    problem: /cannot be loaded/,
  })
  const strict = await runCommand(['info'], { env: { ...missing, NEUROBLAS_BACKEND: 'native' } })
  t.match(strict, {
    code: 1,
    stdout: '',
    stderr: /^neuroblas: native addon: cannot be loaded.*\n$/,
  })
  const text = await runCommand(['info'])
  for (const row of ['backend', 'products', 'OpenBLAS', 'core', 'SIMD', 'threads', 'memory']) {
    t.match(text.stdout, new RegExp(`^${row} +\\S`, 'm'))
  }
  if (isNativeHere) {
    t.match(JSON.parse((await runCommand(['info', '--json'])).stdout), {
      engine: /^(neuroblas|OpenBLAS \(\w+\))$/,
      openblas: /OpenBLAS/,
      core: String,
      simd: /^\w/,
      openblasThreads: 1,
      problem: null,
    })
  }
})

const skip = isNativeHere ? false : 'the native addon is not built'
t.test('info and bench say what the wrong kernels cost', { skip }, async (t) => {
  const addon = JSON.stringify(`${root}build/Release/neuroblas.node`)
  const folder = t.testdir({
    'addon.cjs': `
      const addon = require(${addon})
      const info = () => ({ ...addon.info(), core: 'Haswell', avx512: true })
      module.exports = { ...addon, info }`,
  })
  const env = { NEUROBLAS_ADDON: `${folder}/addon.cjs`, NEUROBLAS_GEMM: 'openblas' }
  const { stdout } = await runCommand(['info'], { env })
  t.match(stdout, /^products +OpenBLAS \(Haswell\)$/m)
  t.match(stdout, /^note +OpenBLAS runs its Haswell kernels.* take about twice as long/m)
  const json = await runCommand(['info', '--json'], { env })
  t.match(JSON.parse(json.stdout), { openblasCost: /AVX-512 unused/ })
  const small = ['--cases', 'E1', '--contestants', 'js', '--rounds', '1', '--seconds', '0.001']
  const bench = await runCommand(['bench', ...small], { env })
  t.match(bench.stdout, /^products: OpenBLAS \(Haswell\); vector instructions: \w+$/m)
  t.match(bench.stdout, /^OpenBLAS runs its Haswell kernels/m)
})

t.test('mnist natively, and npm start in short', { skip }, async (t) => {
  const cwd = t.testdir()
  const { code, stdout, stderr } = await runCommand(
    ['start', '--epochs', '1', '--js-seconds', '1.5'],
    {
      cwd,
    },
  )
  t.equal(code, 0)
  t.equal(stderr, '')
  t.match(stdout, '60,000 images (55,000 to train on, 5,000 held out for validation)')
  const [, accuracy] = stdout.match(/\ntest accuracy +(\d\d\.\d\d) %\n/) ?? []
  t.ok(Number(accuracy) >= 96, `test accuracy ${accuracy} %`)
  t.match(stdout, /\nnative +[\d,]+ examples\/s\npure JavaScript +[\d,]+ examples\/s\n/)
  t.match(stdout, /\nnative \/ JavaScript +\d+\.\d times\nmodel saved +mnist\.safetensors\n$/)
  const { stdout: evaluated } = await runCommand(['eval', 'mnist.safetensors', 'mnist'], { cwd })
  t.match(evaluated, `accuracy ${accuracy} %`)
})
