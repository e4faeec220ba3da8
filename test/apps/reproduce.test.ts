/** `neuroblas reproduce` as a process, and the results that it keeps. */
import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { recipes } from '../../lib/apps/recipes/recipes.js'
import { formatErrors, keepResult, type Result, spread } from '../../lib/apps/recipes/results.js'
import { type Run, runCommand } from '../support/cli.js'

const reproduce = (cwd: string, args: string[], watch?: Run['watch']) =>
  runCommand(['reproduce', ...args], { cwd, watch })

t.test('one epoch of softmax regression', async (t) => {
  const cwd = t.testdir()
  const args = ['linear', '--epochs', '1', '--seed', '3', '--results', 'results.json']
  const { code, stdout, stderr } = await reproduce(cwd, args)
  t.equal(stderr, '')
  t.equal(code, 0)
  const [, error] = /linear +published 12.00 % +measured (\d+\.\d\d) % +1 run /.exec(stdout) ?? []
  t.ok(Number(error) < 9, stdout)
  t.strictSame(readdirSync(`${cwd}/checkpoints`), [], 'nothing is left of a run that is done')
  t.notOk(existsSync(`${cwd}/results.json`), 'only the usual runs are kept')
})

t.test('Ctrl-C keeps the run, the same command goes on', async (t) => {
  const cwd = t.testdir()
  const args = ['linear', '--epochs', '100000', '--seed', '0', '--validate']
  let sent = false
  const interruptOnce = (child: ChildProcess, stdout: string) => {
    if (!sent && /^epoch +\d+\/100000 /m.test(stdout)) sent = child.kill('SIGINT')
  }
  const first = await reproduce(cwd, args, interruptOnce)
  t.equal(first.code, 130)
  t.match(first.stdout, 'stopped; the same command goes on from checkpoints/')
  t.match(first.stdout, /epoch +1\/100000 .*validation error/)
  t.equal(readdirSync(`${cwd}/checkpoints`).length, 1)
  sent = false
  const second = await reproduce(cwd, args, interruptOnce)
  t.equal(second.code, 130)
  const [, epoch] = /^epoch +(\d+)\/100000 /m.exec(second.stdout) ?? []
  t.ok(Number(epoch) > 1, `goes on with epoch ${epoch}`)
})

t.test('an unknown row is a mistake of usage', async (t) => {
  const { code, stderr } = await reproduce(t.testdir(), ['all', 'lineal'])
  t.equal(code, 2)
  t.match(stderr, /^neuroblas: reproduce: expected all or some of linear, .*, got lineal\n$/)
})

t.test('recipes have names of their own and classify into ten digits', async (t) => {
  t.equal(new Set(recipes.map(({ row }) => row)).size, recipes.length)
  for (const { row, units } of recipes) t.strictSame([units[0], units.at(-1)], [784, 10], row)
})

t.test('mean and spread', async (t) => {
  t.equal(spread([1]), undefined)
  t.equal(spread([1, 2, 3]), 1)
  t.equal(formatErrors([1.5]), '1.50 %')
  t.equal(formatErrors([1, 2, 3]), '2.00 ± 1.00 %')
})

t.test('a result takes the place of the last one, in the order of the recipes', async (t) => {
  const file = `${t.testdir()}/results.json`
  const result: Result = {
    row: '784-300-10',
    errors: [2, 3],
    epochs: 10,
    seconds: 30,
    examplesPerSecond: 12345.6,
    date: '2026-01-02T03:04:05.000Z',
    commit: '0123456789abcdef',
    machine: 'one, 2 cores',
  }
  keepResult(file, result)
  keepResult(file, { ...result, row: 'linear' })
  keepResult(file, { ...result, errors: [1.5] })
  const kept: Result[] = JSON.parse(readFileSync(file, 'utf8'))
  t.strictSame(kept, [
    { ...result, row: 'linear' },
    { ...result, errors: [1.5] },
  ])
  const lines = readFileSync(file.replace('.json', '.md'), 'utf8').trimEnd().split('\n')
  t.equal(lines.length - lines.findIndex((line) => line.startsWith('|--')) - 1, recipes.length)
  t.equal(
    lines.find((line) => line.startsWith('| 784-300-10 ')),
    '| 784-300-10 | 784-300-10 | squared error | 4.7 % (LeCun et al. 1998) | 1.50 % | 0 | 10 | 30 s | 12,346 | 2026-01-02 | 0123456789 | one, 2 cores |',
  )
  t.match(lines.at(-1), '| 0.35 % (Cireşan et al. 2010) | not run to its end yet |')
  writeFileSync(file, 'nonsense')
  t.throws(() => keepResult(file, result), SyntaxError, 'and is not overwritten')
})
