/** `--metrics` of `neuroblas train` and `neuroblas eval`. */
import t from 'tap'
import { runCommand } from '../support/cli.js'

t.test('metrics by name', async (t) => {
  const cwd = t.testdir()
  const trained = await runCommand(
    ['train', 'iris', '--epochs', '2', '--metrics', 'f1,confusionMatrix', '--json', '--save', 'm'],
    { cwd },
  )
  t.equal(trained.code, 0, trained.stderr)
  const events = trained.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { validationMetrics, metrics } = events.find(({ event }) => event === 'epoch')
  t.strictSame(Object.keys(metrics), ['f1', 'confusionMatrix'])
  t.equal(validationMetrics.confusionMatrix.flat().length, 9)
  const { testMetrics, testAccuracy } = events.at(-1)
  const right = [0, 1, 2].reduce((sum, i) => sum + testMetrics.confusionMatrix[i][i], 0)
  t.equal(right / 30, testAccuracy)

  const tested = await runCommand(['eval', 'm', 'iris', '--metrics', 'f1', '--json'], { cwd })
  t.equal(JSON.parse(tested.stdout).metrics.f1, testMetrics.f1)
  const told = await runCommand(['eval', 'm', 'iris', '--metrics', 'f1,auc'], { cwd })
  t.match(
    told.stdout,
    /accuracy \S+ % {2}loss \S+ \(cross-entropy\) {2}f1 \d\.\d{4} {2}auc \d\.\d{4}\n/,
  )
})

t.test('unknown ones, and those of another task', async (t) => {
  const cwd = t.testdir()
  const unknown = await runCommand(['train', 'iris', '--metrics', 'f2'], { cwd })
  t.equal(unknown.code, 2)
  t.match(unknown.stderr, /^neuroblas: --metrics: expected some of accuracy,.*, got "f2"\n$/)
  const other = await runCommand(['train', 'iris', '--no-save', '--metrics', 'r2'], { cwd })
  t.equal(other.code, 1)
  t.match(other.stderr, /expected metrics for examples to classify, .* got r2/)
})
