/** Trainings on the command line: the network, the backend, what it prints, what ends it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readData } from '../../lib/apps/cli/data.js'
import type { Dataset } from '../../lib/data/dataset.js'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import { bareNode, type Event, eventsOf, root, runCommand, train } from '../support/cli.js'

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
