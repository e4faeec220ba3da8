/** Item 4: XOR, solved by one hidden layer, drawn in input space and in the space of its units. */
import {
  Adam,
  binaryCrossEntropyWithLogits,
  dataset,
  evaluate,
  fit,
  Linear,
  l2,
  noGrad,
  Sequential,
  setSeed,
  Tanh,
  tensor,
} from 'neuroblas'
import { decisionBoundary } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { corners } from './points.js'

export const xor: Experiment = {
  name: 'xor',
  items: [4],
  title: 'XOR with one hidden layer',
  formula: String.raw`p(y = 1 \mid x) = \mathrm{sigm}\bigl(b^{(2)} + w^{(2)\top} \tanh(b^{(1)} + W^{(1)} x)\bigr)`,
  text: `Two hidden tanh units and one output neuron are trained on XOR. Then the points are drawn
where the hidden layer puts them: there a straight line separates them, which is proven by training a
fresh single neuron on the two hidden activations alone.`,

  async run({ signal, progress }: Context): Promise<Outcome> {
    const data = corners([0, 1, 1, 0], 50, 0.2, 1)
    const loss = binaryCrossEntropyWithLogits
    setSeed(1)
    // lecture:begin
    const hidden = new Sequential(new Linear(2, 2), new Tanh())
    const network = new Sequential(hidden, new Linear(2, 1))
    const settings = { loss, epochs: 60, batchSize: 10, seed: 0, signal }
    const optimizer = new Adam(network.parameters(), { lr: 0.03, regularizer: l2(2e-3) })
    await fit(network, data, { ...settings, optimizer })

    const h = noGrad(() => hidden.forward(tensor(data.inputs as Float32Array, [data.size, 2])))
    const inHiddenSpace = dataset({ inputs: h.data(), inputShape: [2], targets: data.targets })
    const neuron = new Linear(2, 1)
    const again = new Adam(neuron.parameters(), { lr: 0.03 })
    await fit(neuron, inHiddenSpace, { ...settings, optimizer: again })
    // lecture:end
    progress(1, 2)

    const inInputSpace = new Linear(2, 1)
    await fit(inInputSpace, data, {
      ...settings,
      optimizer: new Adam(inInputSpace.parameters(), { lr: 0.03 }),
    })
    const percent = (accuracy = 0) => `${(100 * accuracy).toFixed(1)} %`
    const solved = (await evaluate(network, data, { loss })).accuracy
    const separated = (await evaluate(neuron, inHiddenSpace, { loss })).accuracy
    const failed = (await evaluate(inInputSpace, data, { loss })).accuracy
    return {
      claims: [
        {
          claim: 'Two hidden units and an output neuron get every point right',
          measured: percent(solved),
          ok: solved === 1,
        },
        {
          claim:
            'A fresh single neuron on the hidden activations does so too: a line separates them',
          measured: percent(separated),
          ok: separated === 1,
        },
        {
          claim: 'The same neuron, trained likewise on the inputs, gets at most 75 %',
          measured: percent(failed),
          ok: failed !== undefined && failed <= 0.75,
        },
      ],
      figures: [
        {
          name: 'input-space',
          caption: 'Input space: what the network with two hidden units makes of the plane.',
          svg: await decisionBoundary(network, data),
        },
        {
          name: 'hidden-space',
          caption: `The space of the hidden units: the same points where the hidden layer puts them, and the
line that the fresh neuron found between them.`,
          svg: await decisionBoundary(neuron, inHiddenSpace, { x: 'h₁', y: 'h₂' }),
        },
        {
          name: 'alone',
          caption: 'For comparison: the single neuron that was trained on the inputs.',
          svg: await decisionBoundary(inInputSpace, data),
        },
      ],
    }
  },
}
