/** How far a command is with rows. */
import t from 'tap'
import { inChild } from '../support/child.js'

t.test('predicting for the rows of a table', async (t) => {
  const cwd = t.testdir({
    'many.csv': `a,b,c\n${Array.from({ length: 3000 }, (_, i) => `${i % 7},${i % 5},${i % 3}`).join('\n')}\n`,
  })
  const { stdout, stderr, code } = await inChild(
    {},
    async (nb, _, cwd, main) => {
      // A clock by which every look at the bar draws it.
      let now = 0
      Object.assign(performance, { now: () => (now += 200) })
      Object.assign(process.stderr, { isTTY: true, columns: 80 })
      process.chdir(cwd)
      const model = nb.mlp([2, 3])
      nb.saveClassifier(
        model,
        'model',
        { units: [2, 3], activation: 'relu', dropout: 0 },
        {
          dataset: 'many',
          seed: 0,
          loss: 'cross-entropy',
          testAccuracy: 0.5,
          classes: ['0', '1', '2'],
          preprocessing: { mean: [0], scale: [1] },
        },
      )
      process.argv = [process.argv[0], main, 'predict', 'model', 'many.csv', '--json']
      await import(main)
    },
    cwd,
    new URL('../../lib/apps/cli/main.js', import.meta.url).href,
  )
  t.equal(code, 0, stderr)
  t.equal(stdout.trim().split('\n').length, 3000)
  const lines = stderr.split('\r\x1b[K')
  const isPredicting = /^predicting many\.csv {2}[\d,]+ rows {2}[\d,.]+ rows\/s$/
  t.ok(
    lines.some((line) => isPredicting.test(line)),
    stderr,
  )
  t.equal(lines.at(-1), '', 'it is gone in the end')
})
