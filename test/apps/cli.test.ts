/**
 * The command line as people use it: a process per case, its exit code, what it prints and the
 * files it leaves.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WriteStream } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { readData } from '../../lib/apps/cli/data.js'
import { table } from '../../lib/apps/cli/table.js'
import { testModel } from '../../lib/apps/cli/testing.js'
import { Progress } from '../../lib/base/progress.js'
import { type Dataset, dataset } from '../../lib/data/dataset.js'
import { digits } from '../../lib/data/sets/digits.js'
import { iris } from '../../lib/data/sets/iris.js'
import type { TableEncoding } from '../../lib/data/table/encoding.js'
import {
  applyPreprocessing,
  fitPreprocessing,
  preprocess,
} from '../../lib/data/transforms/standardize.js'
import { saveModel } from '../../lib/io/model.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { mlp } from '../../lib/nn/sequential.js'
import { Generator } from '../../lib/tensor/random.js'
import { bareNode, type Run, root, runCommand } from '../support/cli.js'

type Event = Record<string, unknown> & { event: string; testAccuracy: number }

const eventsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)

/** Trains with --json; all events, and the last one. */
async function train(args: string[], options: Run = {}) {
  const result = await runCommand(['train', ...args, '--json'], options)
  const events = eventsOf(result.stdout)
  return { ...result, events, end: events[events.length - 1] }
}

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

t.test('a network with convolutions', async (t) => {
  const cwd = t.testdir({})
  const args = ['digits', '--network', 'conv', '--filters', '8,16', '--epochs', '3']
  const { code, stderr, events, end } = await train(args, { cwd })
  t.equal(code, 0, stderr)
  t.match(events[0], { layers: [64, 64, 10], filters: [8, 16] })
  t.ok(end.testAccuracy > 0.9, `${end.testAccuracy}`)
  const evaluated = await runCommand(['eval', 'digits.safetensors', 'digits', '--json'], { cwd })
  t.equal(JSON.parse(evaluated.stdout).accuracy, end.testAccuracy)
  const again = ['train', ...args, '--epochs', '1', '--no-save']
  const { stdout } = await runCommand(again, { cwd })
  t.match(stdout, /network +64, convolutions 8-16, 64-10, relu, dropout 0\.3: [\d,]+ parameters/)
})

t.test('digits: events, accuracy, eval and predict agree', async (t) => {
  const cwd = t.testdir()
  const { code, stderr, events, end } = await train(['digits', '--epochs', '20'], { cwd })
  t.equal(code, 0)
  t.equal(stderr, '')
  t.strictSame(
    events.map(({ event }) => event),
    ['start', ...new Array(20).fill('epoch'), 'end'],
  )
  t.match(events[0], { dataset: 'digits', layers: [64, 64, 10], parameters: 4810, threads: Number })
  t.equal(
    ['train', 'validation', 'test'].reduce(
      (sum, part) => sum + Number(events[0][`${part}Examples`]),
      0,
    ),
    1797,
  )
  t.match(events[20], { epoch: 20, epochs: 20, loss: Number, regularizationLoss: Number, lr: 0 })
  t.match(end, {
    saved: 'digits.safetensors',
    ended: 'epochs',
    threads: events[0].threads,
    seconds: Number,
  })
  t.ok(end.testAccuracy >= 0.95, `test accuracy ${end.testAccuracy}`)
  t.ok((end.examplesPerSecond as number) > 0)
  const kept = events[end.bestEpoch as number]
  t.strictSame([kept.loss, kept.regularizationLoss], [end.loss, end.regularizationLoss])

  const evaluated = JSON.parse(
    (await runCommand(['eval', 'digits.safetensors', 'digits', '--json'], { cwd })).stdout,
  )
  t.equal(evaluated.accuracy, end.testAccuracy)
  t.equal(evaluated.loss, end.testLoss)
  const confusion = evaluated.confusion as number[][]
  t.equal(
    confusion.flat().reduce((a, b) => a + b),
    evaluated.examples,
  )
  t.equal(
    confusion.reduce((sum, row, i) => sum + row[i], 0),
    Math.round(end.testAccuracy * evaluated.examples),
  )
  const text = await runCommand(['eval', 'digits.safetensors', 'digits'], { cwd })
  t.match(text.stdout, `accuracy ${(100 * end.testAccuracy).toFixed(2)} %`)
  t.match(text.stdout, /\n0( +\d+){10}\n/)

  const { test } = readData('digits', 0)
  writeFileSync(join(cwd, 'test.csv'), csvOf(test))
  const predicted = eventsOf(
    (await runCommand(['predict', 'digits.safetensors', 'test.csv', '--json'], { cwd })).stdout,
  )
  t.equal(predicted.length, test.size)
  const hits = predicted.filter(({ label }, i) => label === test.targets[i]).length
  t.equal(hits / test.size, end.testAccuracy)
  const probabilities = predicted[0].probabilities as number[]
  t.ok(Math.abs(probabilities.reduce((a, b) => a + b) - 1) < 1e-5)
  t.equal(predicted[0].probability, Math.max(...probabilities))
})

function csvOf({ inputs, size }: Dataset): string {
  const width = inputs.length / size
  const rows = Array.from({ length: size }, (_, i) => inputs.slice(i * width, (i + 1) * width))
  return rows.map((row) => `${[...row].join(',')}\n`).join('')
}

t.test('digits in pure JavaScript, and every loss and activation', async (t) => {
  const cases = [
    ['--backend', 'js'],
    ['--backend', 'js', '--layers', 'none', '--momentum', '0', '--epochs', '200'],
    ['--loss', 'mse'],
    ['--loss', 'huber'],
    ['--loss', 'hinge'],
    ['--loss', 'focal'],
    ['--activation', 'sigmoid'],
    ['--optimizer', 'adam'],
    ['--optimizer', 'lion'],
    ['--layers', '128', '--dropout', '0.3'],
    ['--activation', 'tanh', '--layers', '64,32', '--l1', '0.00001', '--l2', '0'],
  ]
  for (const args of cases) {
    const { end, stderr } = await train(['digits', '--no-save', ...args])
    t.ok(end.testAccuracy >= 0.94, `${args.join(' ')}: ${end.testAccuracy}`)
    t.equal(end.saved, null)
    t.equal(stderr, '')
    if (args.includes('js')) t.equal(end.backend, 'js')
  }
  t.notOk(existsSync(join(root, 'digits.safetensors')), '--no-save leaves no file')
})

t.test('a training that diverges replaces no model', async (t) => {
  const cwd = t.testdir()
  const save = ['--save', 'prod.safetensors']
  const { end } = await train(['digits', '--epochs', '3', ...save], { cwd })
  t.ok(end.testAccuracy > 0.9)
  const file = join(cwd, 'prod.safetensors')
  const before = readFileSync(file)
  const exploding = ['digits', '--lr', '1e30', '--batch-size', '2000', '--epochs', '1', ...save]
  for (const more of [[], ['--on-divergence', 'restore'], ['--l2', '0']]) {
    const { code, stderr } = await runCommand(['train', ...exploding, ...more], { cwd })
    t.equal(code, 1, `${more}`)
    t.match(stderr, /fit: .* in epoch 1, step 1 \(.*\); try a smaller lr \(it was 1e\+30\)/)
    t.ok(readFileSync(file).equals(before), 'the old model stays')
  }

  // It diverges in the second epoch, and not with a tenth of the rate.
  const steep = ['digits', '--lr', '1e5', '--batch-size', '500', '--epochs', '3', '--no-save']
  const restored = await train([...steep, '--on-divergence', 'restore'], { cwd })
  t.match(restored, { code: 0, end: { ended: 'diverged' } })
  t.match(restored.stderr, /went back to the last good state, and ended there/)

  const { tensors, metadata } = decodeSafetensors(before, 'prod')
  tensors.get('layers.2.weight')!.data.fill(Number.NaN, 5, 6)
  writeFileSync(join(cwd, 'nan.safetensors'), encodeSafetensors(tensors, metadata))
  const pixels = Array(64).fill(3).join(',')
  for (const [args, input] of [
    [['eval', 'nan.safetensors', 'digits']],
    [['eval', 'nan.safetensors', 'digits', '--json']],
    [['predict', 'nan.safetensors', '-'], pixels],
    [['predict', 'nan.safetensors', '-', '--json'], pixels],
  ] as [string[], string?][]) {
    const { code, stdout, stderr } = await runCommand(args, { cwd, input })
    t.match({ code, stdout }, { code: 1, stdout: '' }, args.join(' '))
    t.match(stderr, /^neuroblas: [^\n]*NaN in layers\.2\.weight\)\n$/, 'one line')
  }
})

t.test('iris: accuracy, and the same seed twice', async (t) => {
  const cwd = t.testdir()
  const untimed = (events: Event[]) => events.map(({ seconds, examplesPerSecond, ...rest }) => rest)
  const [first, second, other] = [
    await train(['iris', '--seed', '7'], { cwd }),
    await train(['iris', '--seed', '7'], { cwd }),
    await train(['iris', '--seed', '8'], { cwd }),
  ]
  t.ok(first.end.testAccuracy >= 0.9, `${first.end.testAccuracy}`)
  t.strictSame(untimed(first.events), untimed(second.events))
  t.not(first.end.loss, other.end.loss)
  const input = 'a,b,c,d\r\n5.1, 3.5,1.4,.2\r\n6.3,2.9,5.6,1.8\r\n'
  const { stdout } = await runCommand(['predict', 'iris.safetensors', '-'], { cwd, input })
  t.match(stdout, /^row {2}class +probability\n {2}1 {2}setosa +[01]\.\d{4}\n {2}2 {2}virginica/)
  const whole = await runCommand(['eval', 'iris.safetensors', 'iris', '--json'], { cwd })
  t.equal(JSON.parse(whole.stdout).accuracy, other.end.testAccuracy)
})

t.test('plain text: a line per epoch and no control characters', async (t) => {
  const { code, stdout, stderr } = await runCommand([
    'train',
    'digits',
    '--epochs',
    '3',
    '--no-save',
    '--threads',
    '2',
  ])
  t.equal(code, 0)
  t.equal(stderr, '')
  t.match(stdout, /2 threads/)
  t.notMatch(stdout, /[^\n -~]/)
  const epochs = stdout.split('\n').filter((line) => line.startsWith('epoch'))
  t.equal(epochs.length, 3)
  const line =
    /^epoch 1\/3 {2}loss \d\.\d{4} {2}regularization loss \d\.\d{4} {2}validation \d+\.\d\d % {2}[\d,]+ examples\/s$/
  t.match(epochs[0], line)
  t.match(stdout, /\ntest accuracy \d+\.\d\d % {2}loss \d/)
})

t.test('patience ends the training, dropout is kept with the model', async (t) => {
  const cwd = t.testdir()
  const args = ['iris', '--dropout', '0.2', '--patience', '3', '--epochs', '1000', '--lr', '0.5']
  const { events, end } = await train(args, { cwd })
  t.match(events[0], { dropout: 0.2, optimizer: 'sgd', lr: 0.5 })
  t.equal(end.ended, 'earlyStopping')
  t.equal(end.epochs, (end.bestEpoch as number) + 3)
  const evaluated = await runCommand(['eval', 'iris.safetensors', 'iris', '--json'], { cwd })
  t.equal(JSON.parse(evaluated.stdout).accuracy, end.testAccuracy)
  const text = await runCommand(['train', ...args, '--optimizer', 'adam', '--no-save'])
  t.match(text.stdout, /iris.*\nnetwork {3}4-16-3, relu, dropout 0\.2: .*\ntraining.*, adam, /)
  t.match(text.stdout, '\nended early: the validation loss no longer fell\n')
})

t.test('a checkpoint: an interrupted training goes on to the same model', async (t) => {
  const cwd = t.testdir()
  const args = ['digits', '--epochs', '60', '--batch-size', '4', '--layers', '512']
  const whole = await train([...args, '--save', 'whole.safetensors'], { cwd })
  const kept = [...args, '--checkpoint', 'training', '--save', 'parts.safetensors']
  let sent = false
  const first = await train(kept, {
    cwd,
    watch(child, stdout) {
      if (!sent && stdout.includes('"epoch":2,')) sent = child.kill('SIGINT')
    },
  })
  t.equal(first.code, 130)
  t.ok((first.end.epochs as number) < 60)
  const second = await train(kept, { cwd })
  t.equal(second.code, 0)
  t.equal(second.end.epochs, 60)
  const [one, other] = ['whole', 'parts'].map((name) =>
    readFileSync(join(cwd, `${name}.safetensors`)),
  )
  t.ok(one.equals(other), 'to the byte')
  t.equal(second.end.loss, whole.end.loss)
})

t.test('signals: the model of the best epoch is kept', async (t) => {
  const cwd = t.testdir()
  const long = ['digits', '--epochs', '1000000', '--save', 'kept.safetensors']
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    let sent = false
    const stopped = await train(long, {
      cwd,
      watch(child, stdout) {
        if (!sent && stdout.includes('"epoch":5,')) sent = child.kill(signal)
      },
    })
    t.equal(stopped.code, code)
    t.match(stopped.end, { event: 'end', ended: signal, saved: 'kept.safetensors' })
    t.match(stopped.stderr, new RegExp(`^neuroblas: ${signal}: stopping.*\\n$`))
    const args = ['eval', 'kept.safetensors', 'digits', '--json']
    const { accuracy } = JSON.parse((await runCommand(args, { cwd })).stdout)
    t.equal(accuracy, stopped.end.testAccuracy)
    t.ok(accuracy > 0.9)
  }
})

t.test('signals: before the first epoch has ended no file is replaced', async (t) => {
  const cwd = t.testdir({ 'old.safetensors': 'old' })
  const long = ['train', 'digits', '--backend', 'js', '--batch-size', '1', '--layers', '1024,1024']
  const stopAtOnce = async (file: string) => {
    let sent = false
    const watch = (child: ChildProcess) => {
      if (!sent) sent = child.kill('SIGINT')
    }
    return runCommand([...long, '--save', file], { cwd, watch })
  }
  const kept = await stopAtOnce('old.safetensors')
  t.equal(kept.code, 130)
  t.match(kept.stdout, /\nstopped by SIGINT\n/)
  t.match(kept.stdout, /\nnot saved: old.safetensors stays as it was, for no epoch had ended\n$/)
  t.equal(readFileSync(join(cwd, 'old.safetensors'), 'utf8'), 'old')
  const fresh = await stopAtOnce('new.safetensors')
  t.equal(fresh.code, 130)
  t.match(fresh.stdout, /\nsaved to new.safetensors\n$/)
})

t.test('signals: a second one ends even a busy process', async (t) => {
  const script = `
    import { Interrupt } from ${JSON.stringify(new URL('../../lib/apps/cli/signals.js', import.meta.url).href)}
    const idle = setInterval(() => {}, 1000)
    const interrupt = new Interrupt((name) => process.stdout.write(name + '\\n'))
    interrupt.signal.addEventListener('abort', () => {
      process.stdout.write('busy\\n')
      for (const end = Date.now() + 10_000; Date.now() < end; );
    })
    process.stdout.write('ready\\n')`
  const [command, ...args] = [...bareNode, '--input-type=module', '--eval', script]
  const child = spawn(command, args)
  let seen = ''
  child.stdout.on('data', (chunk) => {
    seen += chunk
    // The second of these two is npm's and the terminal's: one wish.
    if (seen.endsWith('ready\n')) child.kill('SIGINT')
    if (seen.endsWith('ready\nSIGINT\n')) child.kill('SIGINT')
    if (seen.endsWith('busy\n')) child.kill('SIGINT')
  })
  const [, signal] = await once(child, 'close')
  t.equal(seen, 'ready\nSIGINT\nbusy\n')
  t.equal(signal, 'SIGINT')
})

t.test('a reader that goes away ends it quietly', async (t) => {
  for (const json of [[], ['--json']]) {
    const { code, stderr } = await runCommand(['train', 'digits', '--epochs', '1000000', ...json], {
      cwd: t.testdir(),
      watch: (child) => child.stdout?.destroy(),
    })
    t.equal(code, 141)
    t.equal(stderr, '')
  }
})

function idx(shape: number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  for (const [i, n] of shape.entries()) header.writeUInt32BE(n, 4 + 4 * i)
  return Buffer.concat([header, Uint8Array.from(values)])
}

t.test('a folder of IDX files', async (t) => {
  const cwd = t.testdir()
  const { inputs, targets } = digits()
  const bytes = Uint8Array.from(inputs, (pixel) => Math.min(255, 16 * pixel))
  mkdirSync(join(cwd, 'little'))
  for (const [part, from, to] of [
    ['train', 0, 1400],
    ['t10k', 1400, 1797],
  ] as const) {
    const file = (name: string) => join(cwd, 'little', `${part}-${name}-ubyte`)
    const images = bytes.subarray(64 * from, 64 * to)
    writeFileSync(file('images-idx3'), idx([to - from, 8, 8], images))
    writeFileSync(file('labels-idx1'), idx([to - from], targets.subarray(from, to)))
  }
  const { events, end } = await train(['little', '--layers', '64', '--epochs', '20'], { cwd })
  t.match(events[0], { dataset: 'little', trainExamples: 1260, testExamples: 397 })
  t.equal(end.saved, 'little.safetensors')
  t.ok(end.testAccuracy >= 0.88, `${end.testAccuracy}`)
  const args = ['predict', 'little.safetensors', 'little/t10k-images-idx3-ubyte', '--json']
  const predicted = eventsOf((await runCommand(args, { cwd })).stdout)
  const hits = predicted.filter(({ label }, i) => label === targets[1400 + i]).length
  t.equal(hits / 397, end.testAccuracy)
})

t.test('a CSV file: train, eval and predict', async (t) => {
  const { inputs, targets, classes, size } = iris()
  const rowsOf = (from: number, to: number, withClass: boolean) =>
    Array.from({ length: to - from }, (_, i) => {
      const features = inputs.subarray(4 * (from + i), 4 * (from + i) + 4)
      return [...features, ...(withClass ? [classes[targets[from + i]]] : [])].join(',')
    }).join('\n')
  const cwd = t.testdir({
    'flowers.csv': `a,b,c,d,species\n${rowsOf(0, size, true)}\n`,
    'some.csv': rowsOf(100, 150, true),
    'features.csv': rowsOf(0, size, false),
  })
  const args = ['--epochs', '100', '--lr', '0.05', '--layers', '16', '--batch-size', '16']
  const { events, end } = await train(['flowers.csv', ...args], { cwd })
  t.match(events[0], { dataset: 'flowers.csv', layers: [4, 16, 3], testExamples: 30 })
  t.equal(end.saved, 'flowers.safetensors')
  const known = await train(['iris', ...args, '--l2', '0.0001'], { cwd })
  t.equal(end.testLoss, known.end.testLoss, 'the same numbers as by the name of the data set')

  const test = async (source: string) =>
    JSON.parse(
      (await runCommand(['eval', 'flowers.safetensors', source, '--json'], { cwd })).stdout,
    )
  t.match(await test('./flowers.csv'), { examples: 30, accuracy: end.testAccuracy, classes })
  const some = await test('some.csv')
  t.match(some, {
    examples: 50,
    confusion: [
      [0, 0, 0],
      [0, 0, 0],
      [0, Number, Number],
    ],
  })
  const predict = ['predict', 'flowers.safetensors', 'features.csv', '--json']
  const predicted = eventsOf((await runCommand(predict, { cwd })).stdout)
  const hits = predicted.slice(100).filter((row) => row.class === 'virginica').length
  t.equal(hits / 50, some.accuracy)
})

/** Rows in the style of the adult data set: columns that decide, one that does not, missing values. */
function adults(count: number, isWithClass: boolean): string {
  const rows = Array.from({ length: count }, (_, i) => {
    const [education, hours] = [['HS-grad', 'Masters'][i % 2], 20 + ((i * 7) % 41)]
    const isRich = hours + 20 * (i % 2) > 50
    const work = i % 9 === 4 ? '?' : ['Private', 'State-gov'][(i >> 2) % 2]
    return [hours, work, education, ...(isWithClass ? [isRich ? '>50K' : '<=50K'] : [])].join(', ')
  })
  const names = ['hours', 'work', 'education', ...(isWithClass ? ['income'] : [])]
  return `${[names.join(', '), ...rows].join('\r\n')}\r\n\r\n`
}

t.test('a table: categories and missing values travel with the model', async (t) => {
  const cwd = t.testdir({
    'adult.data.gz': gzipSync(adults(400, true)),
    'turned.tsv':
      'income\teducation\tmore\thours\twork\n<=50K\tHS-grad\t1\t20\tPrivate\n>50K\tDoctorate\t2\t60\t\n',
    'unknown.csv': 'hours,work\n1,Private\n',
  })
  const args = ['adult.data.gz', '--epochs', '30', '--layers', '8']
  const refused = await runCommand(['train', ...args, '--missing', 'refuse'], { cwd })
  t.match(refused, {
    code: 1,
    stderr: /got missing ones of 400 \(work 44\), such as work on line 6; say mis/,
  })
  const { events, end, stderr } = await train(args, { cwd })
  // One of the inputs says where work is missing.
  t.match(events[0], {
    dataset: 'adult.data.gz',
    target: 'income',
    layers: [6, 8, 2],
    testExamples: 80,
  })
  t.match(end, { saved: 'adult.safetensors', testR2: null })
  t.ok(end.testAccuracy > 0.9, `${end.testAccuracy}`)
  t.match(
    stderr,
    /took the last column, income, for the target; --target takes another, such as work, ed/,
  )
  t.match(stderr, /filled in missing values \(work 44\)\n$/)

  const evaluate = async (source: string) => {
    const run = await runCommand(['eval', 'adult.safetensors', source, '--json'], { cwd })
    return { ...run, figures: JSON.parse(run.stdout) }
  }
  t.match((await evaluate('adult.data.gz')).figures, { examples: 80, accuracy: end.testAccuracy })
  const turned = await evaluate('turned.tsv')
  t.match(turned.figures, { examples: 2, accuracy: 1 })
  t.match(
    turned.stderr,
    /column education has 1 cell with categories that training had not, such as "Doc/,
  )

  const predict = (input: string, source = '-') =>
    runCommand(['predict', 'adult.safetensors', source, '--json'], { cwd, input })
  const named = eventsOf((await predict('', 'turned.tsv')).stdout)
  t.strictSame(
    named.map((row) => row.class),
    ['<=50K', '>50K'],
  )
  const unnamed = eventsOf((await predict('20 Private HS-grad\n60 ? Masters\n')).stdout)
  t.strictSame(
    unnamed.map((row) => row.class),
    ['<=50K', '>50K'],
  )
  t.match(await predict('', 'unknown.csv'), {
    code: 1,
    stderr: /unknown\.csv: expected a column "education" as in training, got "hours", "work"\n$/,
  })
  t.match(await runCommand(['eval', 'adult.safetensors', 'iris'], { cwd }), {
    code: 1,
    stderr: /iris: expected a table with the column income/,
  })
})

t.test('a table to regress on', async (t) => {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [rooms, east] = [1 + (i % 7), (i >> 1) % 2]
    return `${i + 1};${rooms};${['west', 'east'][east]};${100_000 + 25_000 * rooms + 50_000 * east + i}`
  })
  const cwd = t.testdir({ 'houses.csv': `Id;rooms;district;price\n${rows.join('\n')}\n` })
  const unclear = await runCommand(['train', 'houses.csv'], { cwd })
  t.match(unclear, {
    code: 1,
    stderr: /or the task, got 300 different numbers in 300 rows of price/,
  })
  const args = [
    'houses.csv',
    '--target',
    'price',
    '--task',
    'regress',
    '--epochs',
    '60',
    '--layers',
    '8',
  ]
  const { events, end, stderr } = await train(args, { cwd })
  t.match(stderr, /^neuroblas: .*left out column Id: it numbers the rows\n$/)
  t.match(events[0], { target: 'price', task: 'regress', loss: 'mse', layers: [3, 8, 1] })
  t.match(events[1], { validationLoss: Number })
  t.equal(end.testAccuracy, null)
  t.ok((end.testR2 as number) > 0.99 && (end.testMae as number) < 5000, JSON.stringify(end))
  const run = await runCommand(['eval', 'houses.safetensors', 'houses.csv', '--json'], { cwd })
  t.match(JSON.parse(run.stdout), {
    examples: 60,
    r2: end.testR2,
    mae: end.testMae,
    loss: end.testLoss,
  })
  const text = await runCommand(['eval', 'houses.safetensors', 'houses.csv'], { cwd })
  t.match(text.stdout, /on 60 examples of houses\.csv\nR² 0\.99\d\d {2}mean absolute error \d+/)
  const input = 'district,rooms\neast,3\nwest,3\n'
  const predicted = await runCommand(['predict', 'houses.safetensors', '-', '--json'], {
    cwd,
    input,
  })
  const [east, west] = eventsOf(predicted.stdout).map(({ value }) => value as number)
  t.ok(Math.abs(east - 225_000) < 10_000 && Math.abs(west - 175_000) < 10_000, predicted.stdout)
  const table = await runCommand(['predict', 'houses.safetensors', '-'], { cwd, input })
  t.match(table.stdout, /^row +value\n +1 +\d/)
  const shown = await runCommand(['train', ...args.slice(0, 5), '--epochs', '1', '--no-save'], {
    cwd,
  })
  t.match(shown.stdout, /\ntarget +price, to regress\n/)
  t.match(
    shown.stdout,
    /validation loss \d.*\ntest R² -?\d\.\d{4} {2}mean absolute error \d+ {2}loss/s,
  )
})

t.test('a table that must be explained', async (t) => {
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${'ab'[i % 2]} 1.${200 + 7 * i},5 ${i === 7 ? 'none' : i % 4} ${i}`,
  )
  const cwd = t.testdir({ 'odd.txt': Buffer.from(`é ${rows.join('\né ')}`, 'latin1') })
  const reading = ['--delimiter', 'blanks', '--encoding', 'latin1']
  const written = ['--decimal', ',', '--thousands', '.', '--missing-values', 'none,x']
  const columns = ['--target', '1', '--features', '2,3', '--header', 'false', '--missing', 'drop']
  const options = [...reading, ...written, ...columns, '--epochs', '1']
  const { events, end, stderr } = await train(['odd.txt', ...options], { cwd })
  t.match(events[0], { layers: [2, 64, 2], testExamples: 8, target: '1' })
  t.match(stderr, /left out 1 of 40 rows, where values are missing \(3 1\)\n$/)
  const run = await runCommand(['eval', 'odd.safetensors', 'odd.txt', ...reading, '--json'], {
    cwd,
  })
  t.match(JSON.parse(run.stdout), { examples: 8, accuracy: end.testAccuracy })
  const { stdout } = await runCommand(['predict', 'odd.safetensors', '-', ...reading], {
    ...{ cwd, input: '1.200,5 3\n' },
  })
  t.match(stdout, /^row +class +probability\n +1 +[ab] /)
  t.match(await runCommand(['train', 'odd.txt', ...columns], { cwd }), {
    ...{ code: 1, stderr: /expected text in utf-8, got other bytes near .*name the encoding/ },
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

t.test('parts: figures of a regression', async (t) => {
  // The example of scikit-learn's r2_score and mean_absolute_error, standardized by mean 2 and scale 0.5.
  const targets = Float32Array.of(3, -0.5, 2, 7).map((y) => (y - 2) / 2)
  const predicted = [2.5, 0, 2, 8]
  const model = mlp([1, 1])
  const values = { 'layers.0.weight': [[1, 1], 0.5], 'layers.0.bias': [[1], -1] } as const
  model.loadStateDict(
    new Map(
      Object.entries(values).map(([name, [shape, value]]) => [
        name,
        { shape: [...shape], data: Float32Array.of(value) },
      ]),
    ),
  )
  const target = { name: 'y', mean: 2, scale: 0.5 }
  const feature = { name: 'x', type: 'number', mean: 0, scale: 1 } as const
  const encoding: TableEncoding = {
    columns: ['x', 'y'],
    isNamed: true,
    features: [feature],
    target,
    missing: 'refuse',
    format: {},
  }
  const regressor = { model, encoding, loss: 'mse' } as const
  const data = dataset({ inputs: predicted.map((x) => [x]), targets })
  const { r2 = 0, mae = 0 } = (await testModel(regressor, data, undefined)).regression ?? {}
  t.ok(Math.abs(r2 - 0.9486081370449679) < 1e-6 && Math.abs(mae - 0.5) < 1e-6, `${r2} ${mae}`)
  const constant = dataset({ inputs: [[1], [2]], targets: Float32Array.of(0, 0) })
  const found = await testModel(regressor, constant, undefined)
  t.equal(found.regression?.r2, 0, 'as r2_score has it')
})

t.test('parts: preprocessing', async (t) => {
  const inputs = Float32Array.from([1, 5, 3, 5, 5, 5])
  const data = dataset({ inputs, inputShape: [2], targets: [0, 1, 0] })
  const how = fitPreprocessing(data)
  t.strictSame(how.mean, [3, 5])
  t.equal(how.scale[1], 1, 'a feature that never varies')
  const scaled = [...preprocess(data, how).inputs]
  t.same(
    scaled.filter((_, i) => i % 2 === 1),
    [0, 0, 0],
  )
  t.ok(Math.abs(scaled[0] + Math.sqrt(1.5)) < 1e-6)
  const pixels = digits()
  t.strictSame(fitPreprocessing(pixels), { mean: [0], scale: [1 / 16] })
  const { inputs: same } = preprocess(pixels, { mean: [0], scale: [1 / 16] })
  t.equal(same.buffer, pixels.inputs.buffer, 'stays bytes, of the same memory')
  t.equal(same.length, pixels.inputs.length)
  t.strictSame(
    [...applyPreprocessing(Uint8Array.from([4, 8]), 1, { mean: [4], scale: [0.5] })],
    [0, 2],
  )
})

t.test('parts: progress and tables', async (t) => {
  const written: string[] = []
  const stream = (isTTY: boolean) =>
    ({ isTTY, columns: 40, write: (text: string) => written.push(text) }) as unknown as WriteStream
  // 9.95 s pass in the test alone.
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const drive = (progress: Progress) => {
    written.length = 0
    for (let update = 0; update < 199; update++) {
      now += 50
      progress.update({ title: 'epoch 1/2', done: 0.5, note: () => 'loss 1.0000' })
    }
    progress.clear()
    return [...written]
  }
  const { TERM } = process.env
  process.env.TERM = 'xterm'
  t.teardown(() => {
    if (TERM === undefined) delete process.env.TERM
    else process.env.TERM = TERM
  })
  const lines = drive(new Progress(stream(true)))
  t.equal(lines.length, 99 + 1, 'drawn every 100 ms')
  t.equal(lines.at(-1), '\r\x1b[K', 'cleared at the end')
  t.match(lines[0], `\r\x1b[Kepoch 1/2  [${'='.repeat(7)}${' '.repeat(7)}]`)
  t.ok(
    lines.every((line) => line.length <= '\r\x1b[K'.length + 39),
    'none wraps',
  )
  t.strictSame(drive(new Progress(stream(false))), [], 'nothing within 10 s elsewhere')
  t.equal(
    table(
      [
        ['a', '1'],
        ['bbb', '100'],
      ],
      'lr',
    ),
    'a      1\nbbb  100',
  )
})
