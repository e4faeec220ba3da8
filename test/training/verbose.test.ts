/** What `fit` prints. */
import t from 'tap'
import { inChild } from '../support/child.js'

/** What is written by a training of two epochs, on a terminal or elsewhere. */
async function printedBy(verbose: 0 | 1 | 2, isTTY: boolean, validates: boolean): Promise<string> {
  const { stdout, stderr, code } = await inChild(
    {},
    async (nb, _, verbose, isTTY, validates) => {
      // A clock by which every look at the bar draws it.
      let now = 0
      if (isTTY) Object.assign(performance, { now: () => (now += 200) })
      Object.assign(process.stdout, { isTTY, columns: 80 })
      const model = nb.mlp([4, 3])
      await nb.fit(model, nb.iris(), {
        loss: nb.softmaxCrossEntropy,
        optimizer: new nb.SGD(model.parameters(), { lr: 0.01 }),
        epochs: 2,
        batchSize: 50,
        verbose,
        ...(validates && { validation: 0.2, metrics: ['accuracy', 'f1', 'confusionMatrix'] }),
      })
    },
    verbose,
    isTTY,
    validates,
  )
  t.strictSame({ stderr, code }, { stderr: '', code: 0 })
  return stdout
}

t.test('nothing, or a line per epoch', async (t) => {
  t.equal(await printedBy(0, true, true), '')
  const plain = String.raw`epoch \d/2  loss \d+\.\d{4}  [\d,.]+ examples/s\n`
  t.match(await printedBy(2, true, false), new RegExp(`^(${plain}){2}$`))
  const figures = String.raw`accuracy \d\.\d{4}  f1 \d\.\d{4}  validation loss \d+\.\d{4}  accuracy \d+\.\d\d %  f1 \d\.\d{4}`
  t.match(
    await printedBy(1, false, true),
    new RegExp(`^(${plain.replace('  [', `  ${figures}  [`)}){2}$`),
    'no bar where there is no terminal',
  )
})

t.test('a bar on a terminal', async (t) => {
  const printed = await printedBy(1, true, false)
  const lines = printed.split('\r\x1b[K')
  const bar = /^epoch 1\/2 {2}\[=+ *\] +\d+ % {2}\d+:\d\d left {2}loss \S+ {2}[\d.]+ steps\/s/
  t.match(lines[1], bar)
  t.match(
    lines.at(-1),
    /^epoch 2\/2 {2}loss \S+ {2}\S+ examples\/s\n$/,
    'it makes room for the line',
  )
})

t.test('a bar for the validation, too', async (t) => {
  const lines = (await printedBy(1, true, true)).split('\r\x1b[K')
  const bar = /^validation {2}\[=+\] 100 % {2}0:00 left {2}loss \S+ {2}[\d,.]+ examples\/s$/
  t.ok(
    lines.some((line) => bar.test(line)),
    lines.join('\n'),
  )
})

t.test('evaluate: a bar on the error output', async (t) => {
  const evaluated = (verbose: 0 | 1, isTTY: boolean) =>
    inChild(
      {},
      async (nb, _, verbose, isTTY) => {
        let now = 0
        if (isTTY) Object.assign(performance, { now: () => (now += 200) })
        // Elsewhere, there is a line now and then.
        else Object.assign(performance, { now: () => (now += 20_000) })
        Object.assign(process.stderr, { isTTY, columns: 80 })
        const loss = nb.softmaxCrossEntropy
        const { accuracy } = await nb.evaluate(nb.mlp([4, 3]), nb.iris(), {
          loss,
          verbose,
          batchSize: 50,
        })
        console.log(accuracy)
      },
      verbose,
      isTTY,
    )
  const [bar, lines, nothing] = [
    await evaluated(1, true),
    await evaluated(1, false),
    await evaluated(0, true),
  ]
  t.match(bar.stderr, /evaluation {2}\[=+ *\] +33 % {2}\d:\d\d left {2}loss \S+ {2}\S+ examples\/s/)
  t.ok(bar.stderr.endsWith('\r\x1b[K'), 'it is gone in the end')
  t.match(lines.stderr, /^evaluation {3}33 % {2}\d+:\d\d left {2}loss \S+ {2}\S+ examples\/s\n/)
  t.equal(nothing.stderr, '')
  t.equal(bar.stdout, nothing.stdout)
})
