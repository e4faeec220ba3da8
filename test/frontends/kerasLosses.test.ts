/** Losses of `neuroblas/keras`, by name and as objects, against Keras's (fixtures/losses.json). */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type LossName, layers, losses, Sequential } from '../../lib/frontends/keras/index.js'
import { eye } from '../../lib/index.js'
import { close } from '../support/engine.js'

interface Case {
  name: string
  options: Record<string, unknown>
  outputs: number[][]
  targets: number[][]
  loss: number
}
const file = new URL('../fixtures/losses.json', import.meta.url)
const { keras }: { keras: Case[] } = JSON.parse(readFileSync(file, 'utf8'))

const camelCase = (name: string) =>
  name.replace(/^[A-Z]+(?=[A-Z])|^[A-Z]/, (first) => first.toLowerCase())
const activationOf = (name: string) =>
  (
    ({ CosineSimilarity: 'linear', Poisson: 'linear', BinaryFocalCrossentropy: 'sigmoid' }) as const
  )[name] ?? 'softmax'

/** The mean loss of a layer that gives its activation of the inputs. */
async function lossFor(
  { outputs, targets }: Case,
  activation: layers.DenseOptions['activation'] & string,
  loss: LossName | losses.Loss,
): Promise<number> {
  const kernelInitializer = () => eye(3)
  const dense = new layers.Dense({ units: 3, activation, kernelInitializer, inputShape: [3] })
  const model = new Sequential([dense])
  model.compile({ optimizer: 'sgd', loss })
  return (await model.evaluate(outputs, targets)).loss
}

for (const row of keras) {
  const { name, options } = row
  t.test(`${name} ${JSON.stringify(options)}`, async (t) => {
    const check = async (activation: string, loss: unknown, label: string) =>
      close(t, [await lossFor(row, activation as never, loss as never)], [row.loss], 2e-6, label)
    const activation = activationOf(name)
    if (Object.keys(options).length === 0) await check(activation, camelCase(name), 'by name')
    const entries = Object.entries(options).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ])
    const Class = (losses as never)[name] as (new (options: object) => losses.Loss) | undefined
    if (Class === undefined) return
    await check(activation, new Class(Object.fromEntries(entries)), 'as an object')
    const fromLogits = new Class({ ...Object.fromEntries(entries), fromLogits: true })
    await check('linear', fromLogits, 'from logits')
  })
}

t.test('aliases and mistakes', async (t) => {
  const [row] = keras
  const loss = await lossFor(row, 'softmax', 'kullback_leibler_divergence')
  close(t, [loss], [row.loss], 2e-6, 'kullback_leibler_divergence')
  const { BinaryFocalCrossentropy, CategoricalCrossentropy } = losses
  t.throws(() => new CategoricalCrossentropy({ labelSmoothing: 2 }), { name: 'ArgumentError' })
  t.throws(() => new BinaryFocalCrossentropy({ applyClassBalancing: 1 as never }), {
    message: 'binaryFocalCrossentropy: expected applyClassBalancing to be true or false, got 1',
  })
  const linear = /expected a last layer with softmax for klDivergence/
  await t.rejects(async () => lossFor(row, 'linear', 'klDivergence'), { message: linear })
})
