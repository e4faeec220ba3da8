/** What fitting in Keras's manner prints. */
import t from 'tap'
import { inChild } from '../support/child.js'

const printedBy = async (verbose: 0 | 1 | 2) => {
  const { stdout, stderr, code } = await inChild(
    {},
    async (_nb, _, verbose, keras) => {
      // A clock by which every look at the bar draws it.
      let now = 0
      Object.assign(performance, { now: () => (now += 200) })
      Object.assign(process.stdout, { isTTY: true, columns: 80 })
      const { layers, Sequential } = await import(keras)
      const model = new Sequential([new layers.Dense({ units: 1, inputShape: [1] })])
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      await model.fit([[1], [2], [3], [4]], [[1], [2], [3], [4]], {
        batchSize: 2,
        epochs: 2,
        verbose,
      })
    },
    verbose,
    new URL('../../lib/frontends/keras/index.js', import.meta.url).href,
  )
  t.equal(code, 0, stderr)
  return stdout
}

t.test('a bar and lines, the lines alone, nothing', async (t) => {
  const parts = (await printedBy(1)).split('\r\x1b[K')
  t.match(
    parts[1],
    /^Epoch 1\/2 {2}\[=+ *\] +50 % {2}0:\d\d left {2}loss: \d+\.\d{4} - \S+ steps\/s$/,
  )
  t.match(parts.at(-1), /^Epoch 2\/2 - \d+\.\ds - loss: \d+\.\d{4}\n$/)
  t.match(await printedBy(2), /^(Epoch [12]\/2 - \S+s - loss: \S+\n){2}$/)
  t.equal(await printedBy(0), '')
})
