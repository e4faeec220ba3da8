/** Data that the command line reads: folders of IDX files, CSV files, tables. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { digits } from '../../lib/data/sets/digits.js'
import { iris } from '../../lib/data/sets/iris.js'
import { eventsOf, runCommand, train } from '../support/cli.js'

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
