/** `neuroblas train --run` and `--resume`, and `neuroblas runs`. */
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { beginOf, HERE } from '../../lib/io/processes.js'
import { runCommand } from '../support/cli.js'

const iris = ['train', 'iris', '--epochs', '3', '--no-save']

t.test('stopped in the middle of an epoch, a run goes on to the same model', async (t) => {
  const cwd = t.testdir()
  // Epochs of a thousand steps.
  const args = ['digits', '--epochs', '3', '--batch-size', '1', '--layers', '512,512']
  const whole = await runCommand(['train', ...args, '--run', 'whole', '--save', 'w'], { cwd })
  t.equal(whole.code, 0, whole.stderr)
  let sent = false
  const stopped = await runCommand(['train', ...args, '--run', 'parts', '--save', 'p', '--json'], {
    cwd,
    watch(child, stdout) {
      if (!sent && stdout.includes('"epoch":1,')) sent = child.kill('SIGTERM')
    },
  })
  t.equal(stopped.code, 143)
  t.match(stopped.stderr, /\nneuroblas: parts: --resume goes on with it\n$/)
  const names = readdirSync(join(cwd, 'parts', 'checkpoints')).join(' ')
  t.match(names, /epoch-\d-step-\d+\.safetensors/)
  const resumed = await runCommand(['train', '--run', 'parts', '--resume'], { cwd })
  t.match(resumed, { code: 0, stderr: /^neuroblas: parts: goes on, interrupted after [12] of 3 e/ })
  const [one, other] = ['w', 'p'].map((name) => readFileSync(join(cwd, name)))
  t.ok(one.equals(other), 'to the byte')
  const epochsOf = (run: string) =>
    readFileSync(join(cwd, run, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ seconds, examplesPerSecond, ...event }) => event)
  t.strictSame(epochsOf('parts'), epochsOf('whole'))
  const again = await runCommand(['train', '--run', 'parts', '--resume', '--json'], { cwd })
  t.match(again.stderr, 'neuroblas: parts: done after 3 of 3 epochs; nothing is left to train\n')
  t.equal(JSON.parse(again.stdout.trim().split('\n').at(-1)!).epochs, 3)
})

t.test('what --run and --resume refuse', async (t) => {
  const cwd = t.testdir({ folder: { other: '' }, file: '' })
  const begun = await runCommand([...iris, '--run', 'new', '--resume'], { cwd })
  t.match(begun, { code: 0, stderr: 'neuroblas: new: nothing to go on with; begins anew\n' })
  for (const [args, code, message] of [
    [
      [...iris, '--run', 'new'],
      2,
      /--run new: expected a new folder, got a run that is done after 3/,
    ],
    [[...iris, '--resume'], 2, /--resume: expected with --run alone, got it without/],
    [
      [...iris, '--run', 'r', '--checkpoint', 'c'],
      2,
      /--run: expected without --checkpoint, got b/,
    ],
    [['train', '--run', 'none', '--resume'], 2, /missing required argument 'data'/],
    [[...iris, '--run', 'folder'], 1, /folder: expected the folder of a run, or a new one/],
    [[...iris, '--run', 'file'], 1, /--run file: expected a folder, got the file/],
    [['train', '--run', 'new', '--resume', '--layers', '7'], 1, /expected a checkpoint of this tr/],
    [['runs', 'none'], 1, /none: expected a folder of runs, found nothing/],
    [['runs', 'file'], 1, /file: expected a folder of runs, found a file/],
  ] as const) {
    const run = await runCommand(args, { cwd })
    t.equal(run.code, code, run.stderr)
    t.match(run.stderr, message)
  }
  t.match(await runCommand(['runs', 'folder'], { cwd }), {
    code: 0,
    stderr: /folder: no runs in it/,
  })
})

t.test('runs beside each other', async (t) => {
  const cwd = t.testdir({ runs: { other: {}, 'notes.txt': '' } })
  const inRuns = (name: string, ...path: string[]) => join(cwd, 'runs', name, ...path)
  for (const [name, ...args] of [
    ['wide', '--layers', '32', '--lr', '0.1'],
    ['narrow', '--layers', '4'],
    ['broken', '--layers', '4'],
    ['begun', '--layers', '8'],
    ['alive', '--layers', '8'],
  ]) {
    const { code } = await runCommand([...iris, '--run', `runs/${name}`, ...args], { cwd })
    t.equal(code, 0)
  }
  truncateSync(inRuns('broken', 'config.json'), 100)
  const metrics = readFileSync(inRuns('begun', 'metrics.jsonl'), 'utf8')
  // As a run leaves it that is killed while it writes, or is read then.
  writeFileSync(inRuns('begun', 'metrics.jsonl'), metrics.slice(0, metrics.indexOf('"epoch":3')))
  const owner = { pid: process.pid, place: HERE, began: beginOf(process.pid), since: 'noon' }
  writeFileSync(inRuns('alive', 'metrics.jsonl.lock'), JSON.stringify(owner))
  appendFileSync(inRuns('alive', 'metrics.jsonl'), '{"event":"st')

  const { stdout, stderr, code } = await runCommand(['runs'], { cwd })
  t.equal(code, 0, stderr)
  const lines = stdout.trimEnd().split('\n')
  t.match(lines[0], /^run +state +epochs +best validation +test +time +settings$/)
  const found = (name: string) => lines.find((line) => line.startsWith(`${name} `))
  const figures = String.raw`\d\.\d{4}  \d+\.\d\d %`
  const row = (state: string, epochs: string) =>
    new RegExp(`^\\w+ +${state} +${epochs}  ${figures} in [123] +${figures} +\\d\\.\\d s  lr 0`)
  t.match(found('wide'), row('done', '3/3'))
  t.match(found('wide'), /lr 0\.1 .* parameters 259 .* layers \[32\]/)
  t.match(found('narrow'), row('done', '3/3'))
  t.match(found('alive'), row('running', '3/3'))
  t.match(found('begun'), / interrupted +2\/3 .* - +\d\.\d s {2}lr 0\.05 /)
  t.match(found('broken'), / damaged +0\/\? +- +- +0\.0 s {2}.*JSON/)
  t.equal(lines.length, 6)
  t.notMatch(stdout, 'batchSize', 'what is the same in all of them is left out')

  const json = await runCommand(['runs', '--json'], { cwd })
  const runs = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const losses = runs.slice(0, 4).map(({ best }) => best.validationLoss)
  t.strictSame(
    losses,
    losses.toSorted((a, b) => a - b),
    'the best come first',
  )
  t.match(
    runs.find(({ name }) => name === 'wide'),
    {
      folder: 'runs/wide',
      state: 'done',
      epochs: 3,
      epochsPlanned: 3,
      test: { accuracy: Number, loss: Number },
      settings: { lr: 'cosine(0.1, 21, 0)', batchSize: 16, seed: 0 },
      config: { lr: 0.1, layers: [32], data: 'iris' },
    },
  )
  const one = await runCommand(['runs', 'runs/wide', '--json'], { cwd })
  t.equal(one.stdout.trim().split('\n').length, 1)

  rmSync(inRuns('alive', 'metrics.jsonl.lock'))
  rmSync(inRuns('alive', 'config.json'))
  const mended = await runCommand([...iris, '--layers', '8', '--run', 'runs/alive', '--resume'], {
    cwd,
  })
  t.match(mended, { code: 0, stderr: /alive: .*config\.json.*; goes on by what is given here\n$/ })
})
