/** Tables on the command line: from a file to a report, in one screen. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../support/cli.js'

type Event = Record<string, unknown> & { event: string }

/** Trips that are late by the hour, the place and the weather; few are. */
function trips(count: number): string {
  const rows = Array.from({ length: count }, (_, i) => {
    const [place, hour, day] = [(i * 7) % 60, (i * 5) % 24, 1 + (i % 28)]
    const weather = i % 17 === 3 ? '' : ['sun', 'rain', 'snow'][(i >> 1) % 3]
    const note = i % 6 === 0 ? '"a ""jam"", long"' : 'all fine'
    const isLate = hour > 15 && place % 4 === 0
    return `${i + 1},2024-03-${day} ${hour}:00,place ${place},${weather},${note},${i % 30},${isLate ? 'yes' : 'no'}`
  })
  return `trip,started,place,weather,note,driver,late\n${rows.join('\n')}\n`
}

const prices = (count: number) =>
  `area,place,price\n${Array.from({ length: count }, (_, i) => `${20 + ((i * 7) % 130)},${'ab'[i % 2]},${900 * ((i * 7) % 130) + 20_000 * (i % 2)}`).join('\n')}\n`

async function train(cwd: string, args: string[], input?: string) {
  const run = await runCommand(['train', ...args, '--json'], { cwd, input })
  const events = run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  return { ...run, start: events[0], end: events[events.length - 1] as Event & { report: Report } }
}

interface Report {
  classes: { class: string; support: number; precision: number; recall: number; f1: number }[]
  confusion: number[][]
  baseline: { class: string; accuracy: number }
  importance: { column: string; mean: number; std: number }[]
}

t.test('a table from end to end', async (t) => {
  const cwd = t.testdir({ 'trips.csv': trips(1500) })
  const how = ['--target', 'late', '--text', 'note']
  const { code, start, end, stderr } = await train(cwd, ['trips.csv', ...how, '--hash-bits', '5'])
  t.equal(code, 0, stderr)
  t.match(start, {
    optimizer: 'adam',
    classWeights: 'balanced',
    patience: Number,
    table: { embedded: 1, leftOut: 1, split: { by: 'class' } },
  })
  t.strictSame((start.table as { features: object }).features, {
    ...{ date: 1, category: 2, text: 1, number: 1 },
  })
  const { classes, confusion, baseline, importance } = end.report
  // 1500 rows, of which a fifth, and of each class a fifth, is tested on.
  const yes = trips(1500).match(/,yes\n/g)?.length as number
  t.equal(classes[1].support, Math.round(0.2 * yes))
  t.strictSame(baseline, { class: 'no', accuracy: 1 - classes[1].support / 300 })
  t.equal(classes[1].recall, confusion[1][1] / classes[1].support)
  t.equal(classes[1].precision, confusion[1][1] / (confusion[0][1] + confusion[1][1]))
  t.ok(classes[1].recall > 0.9, JSON.stringify(classes))
  const ranked = importance.map(({ column }) => column)
  t.strictSame(ranked.slice(0, 2).sort(), ['place', 'started'])
  t.equal(ranked.length, 5)

  const evaluated = await runCommand(['eval', 'trips.safetensors', 'trips.csv', '--json'], { cwd })
  t.match(JSON.parse(evaluated.stdout), { accuracy: end.testAccuracy, examples: 300, confusion })
  const input = 'started,place,weather,note,driver\n2024-03-05 20:00,place 8,,,3\n'
  const asked = await runCommand(['predict', 'trips.safetensors', '-', '--json'], { cwd, input })
  t.match(JSON.parse(asked.stdout), { class: 'yes' })
})

t.test('one screen of 80 columns', async (t) => {
  const cwd = t.testdir({ 'trips.csv': trips(1500), 'prices.csv': prices(300) })
  const args = ['trips.csv', '--target', 'late', '--no-save']
  const { stdout } = await runCommand(['train', ...args], { cwd })
  const lines = stdout.split('\n')
  t.ok(lines.length < 45, stdout)
  t.ok(
    lines.every((line) => line.length < 80),
    stdout,
  )
  t.match(stdout, /^data +trips\.csv: 1,500 rows, 7 columns\n +1,080 to train on, 120 to validate/)
  t.match(stdout, /\ntarget +late, to classify: no \d+\.\d %, yes \d\.\d %, weighted to be even\n/)
  t.match(stdout, /\nclass +rows +precision +recall +f1 +predicted: +no +yes\n/)
  t.match(
    stdout,
    /\nmean recall \d+\.\d\d %; always no: accuracy \d+\.\d\d %, mean recall 50\.00 %/,
  )
  t.match(stdout, /shuffled\n(place|started) +0\.\d{3} {2}█{24}\n/)
  const regression = await runCommand(['train', 'prices.csv', '--task', 'regress', '--no-save'], {
    cwd,
  })
  t.match(regression.stdout, /\ntest R² (0\.9|1\.0)\d+ .*\n\nWhat the columns are worth: R² lost/)
  t.match(regression.stdout, /\narea +\d\.\d{3} +█+\nplace /)
})

t.test('what is given is taken', async (t) => {
  const cwd = t.testdir({ 'trips.csv': trips(300) })
  const args = ['trips.csv', '--target', 'late', '--no-save']
  const given = ['--epochs', '2', '--layers', '8', '--lr', '0.02', '--class-weights', 'none']
  const { start, end } = await train(cwd, [...args, ...given, '--embed-above', '100'])
  t.match(start, { optimizer: 'sgd', lr: 0.02, dropout: 0, classWeights: 'none', epochs: 2 })
  t.notOk('patience' in start)
  t.match(start.table, { embedded: 0 })
  t.equal(end.epochs, 2)
  const focal = await train(cwd, [...args, '--epochs', '2', '--loss', 'focal'])
  t.match(focal.start, { classWeights: 'balanced', loss: 'focal' })
  t.equal(focal.code, 0, focal.stderr)
  const unknown = await runCommand(['train', ...args, '--class-weights', 'even'], { cwd })
  t.match(unknown, { code: 2, stderr: /--class-weights: expected balanced or none, got "even"/ })
  const useless = await runCommand(['train', 'iris', '--group-by', 'x'], { cwd })
  t.match(useless, { code: 2, stderr: /--group-by: expected with a table alone, got iris/ })
})

t.test('parts by group and by time, also when it is tested again', async (t) => {
  const cwd = t.testdir({ 'trips.csv': trips(600) })
  const args = ['trips.csv', '--target', 'late', '--epochs', '3']
  for (const split of [
    ['--group-by', 'driver'],
    ['--time', 'started'],
  ]) {
    const { start, end } = await train(cwd, [...args, ...split])
    const by = { by: split[0] === '--time' ? 'time' : 'group', column: split[1] }
    t.strictSame((start.table as { split: object }).split, by)
    const run = await runCommand(['eval', 'trips.safetensors', 'trips.csv', '--json'], { cwd })
    t.match(JSON.parse(run.stdout), { accuracy: end.testAccuracy, confusion: end.report.confusion })
  }
  const none = await runCommand(['train', ...args, '--time', 'place'], { cwd })
  t.match(none, { code: 1, stderr: /expected numbers or dates in place to split by, got text/ })
})

t.test('from standard input, SQL and patterns', async (t) => {
  const cwd = t.testdir({ 'a1.csv': prices(100), 'a2.csv': prices(100) })
  const rest = ['--task', 'regress', '--epochs', '2']
  const piped = await train(cwd, ['-', ...rest], readFileSync(join(cwd, 'a1.csv'), 'utf8'))
  t.match(piped.start, { dataset: 'standard input', testExamples: 20 })
  t.equal(piped.end.saved, 'model.safetensors')
  const pattern = await train(cwd, ['a*.csv', '--no-save', ...rest])
  t.match(pattern.start, { testExamples: 40 }, pattern.stderr)
  const query = "select area, price from 'a1.csv' where place = 'a'"
  const alone = await train(cwd, ['--sql', query, '--no-save', ...rest])
  t.match(alone.start, { dataset: 'query', testExamples: 10, layers: [1, 64, 1] }, alone.stderr)
  const over = await train(cwd, ['a1.csv', '--sql', 'select * from data limit 50', ...rest])
  t.match(over.start, { testExamples: 10 }, over.stderr)
  const wrong = await runCommand(['train', '--sql', 'select nothing from nowhere'], { cwd })
  t.match(wrong, { code: 1, stdout: '', stderr: /^neuroblas: query \w+: [^\n]*nowhere[^\n]*\n$/ })
})

t.test('describe', async (t) => {
  const cwd = t.testdir({ 'trips.csv': trips(300) })
  const { stdout, code } = await runCommand(['describe', 'trips.csv'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /^trips\.csv: 300 rows, 7 columns\n\ncolumn +type +missing +values\n/)
  t.match(stdout, /\ntrip +number +- +1 to 300, mean 150\.5 ± 86\.6\n/)
  t.match(stdout, /\nstarted +date +- +2024-03-01 to 2024-03-28T23:00:00\n/)
  t.match(stdout, /\nweather +category +6\.0 % +(\w+ \d+ %(, )?){3}\n/)
  t.ok(
    stdout.split('\n').every((line) => line.length < 80),
    stdout,
  )
  const used = await runCommand(['describe', 'trips.csv', '--target', 'late', '--json'], { cwd })
  const { rows, columns } = JSON.parse(used.stdout)
  t.equal(rows, 300)
  t.match(columns[0], { use: 'ignored', reason: 'it numbers the rows' })
  t.match(columns.at(-1), { use: 'target', categories: ['no', 'yes'], counts: [Number, Number] })
  const nothing = await runCommand(['describe', 'nowhere.csv'], { cwd })
  t.match(nothing, { code: 1, stderr: /nowhere\.csv: expected a readable file/ })
})

t.test('more than a thousand classes', async (t) => {
  const rowsOf = (from: number, count: number) =>
    `x,kind\n${Array.from({ length: count }, (_, i) => `${2 * (from + i)},kind ${(from + i) % 1100}`).join('\n')}\n`
  const cwd = t.testdir({ 'kinds.csv': rowsOf(0, 3300), 'more.csv': rowsOf(7, 1100) })
  const few = ['--target', 'kind', '--epochs', '1', '--layers', '2', '--save', 'kinds']
  const { code, stderr } = await train(cwd, ['kinds.csv', ...few])
  t.equal(code, 0, stderr)
  const tested = await runCommand(['eval', 'kinds', 'more.csv', '--json'], { cwd })
  const { examples, classes, confusion } = JSON.parse(tested.stdout)
  t.strictSame([examples, classes.length, confusion.length], [1100, 1100, 1100])
})
