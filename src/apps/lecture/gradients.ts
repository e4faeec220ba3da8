/** Item 12: gradients by automatic differentiation, checked against central differences. */
import {
  binaryCrossEntropyWithLogits,
  Generator,
  gradCheck,
  hinge,
  huber,
  type Loss,
  l2,
  mae,
  mse,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'

const activations = {
  sigmoid: (a: Tensor) => a.sigmoid(),
  tanh: (a: Tensor) => a.tanh(),
  relu: (a: Tensor) => a.relu(),
}

/** Checks the objective of a network with two hidden layers, as a function of inputs and weights. */
function check(loss: Loss<'labels'>, g: (a: Tensor) => Tensor, eps?: number) {
  // lecture:begin
  const objective = (x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, W3: Tensor) => {
    const h1 = g(x.matmul(W1).add(b1))
    const h2 = g(h1.matmul(W2).add(b2))
    const labels = tensor([0, 2, 1, 1, 0], [5], 'int32')
    const risk = loss(h2.matmul(W3), labels)
    return [W1, W2, W3].reduce((sum, W) => sum.add(l2(1e-3).penalty(W)), risk)
  }
  const random = new Generator(1)
  const draw = (...shape: number[]) => random.normal(shape)
  const inputs = [draw(5, 4), draw(4, 6), draw(6), draw(6, 5), draw(5), draw(5, 3)] as const
  const result = gradCheck(objective, inputs, { eps }) // { ok, maxRelativeError, worst }
  // lecture:end
  return result
}

export const gradients: Experiment = {
  name: 'gradients',
  items: [12],
  title: 'Back-propagation, checked',
  formula: String.raw`\frac{\partial l}{\partial \theta} \approx \frac{l(\theta + \varepsilon) - l(\theta - \varepsilon)}{2\varepsilon}`,
  text: `Networks with two hidden layers and L2 are differentiated by back-propagation and, one weight
after the other, by central differences in double precision, for every loss and activation. A
gradient with a deliberate mistake is found.`,

  async run({ progress }: Context): Promise<Outcome> {
    const losses = {
      'cross-entropy': softmaxCrossEntropy,
      'binary cross-entropy': binaryCrossEntropyWithLogits,
      'squared error': mse,
      'absolute error': mae,
      Huber: huber,
      hinge,
    }
    const claims: Outcome['claims'] = []
    const ofLosses = Object.entries(losses)
    for (const [i, [name, loss]] of ofLosses.entries()) {
      const errors = Object.values(activations).map((g) => check(loss, g).maxRelativeError)
      claims.push({
        claim: `${name}, after sigmoid, tanh and relu: largest relative error of any derivative`,
        measured: errors.map((error) => error.toExponential(1)).join(', '),
        ok: errors.every((error) => error < 1e-6),
      })
      progress(i + 1, ofLosses.length + 1, name)
    }
    // detach() hides one factor of x² from back-propagation, so that it sees half of the gradient.
    const wrong = gradCheck((x: Tensor) => x.mul(x.detach()), [[1, -2, 3]])
    claims.push({
      claim: 'A wrong gradient, half of what it should be, is found (relative error)',
      measured: wrong.maxRelativeError,
      ok: !wrong.ok && Math.abs(wrong.maxRelativeError - 0.5) < 1e-6,
    })

    const steps = Array.from({ length: 25 }, (_, i) => 10 ** (-i / 2))
    const errors = steps.map((eps) => check(softmaxCrossEntropy, activations.tanh, eps))
    const curve = errors.map(({ maxRelativeError }) => maxRelativeError)
    const least = curve.indexOf(Math.min(...curve))
    claims.push({
      claim: 'The differences are best at a step in between: larger ones curve, smaller ones round',
      measured: `${curve[least].toExponential(1)} at ε = ${steps[least].toExponential(1)}`,
      ok: curve[least] < curve[0] / 1e6 && curve[least] < curve[curve.length - 1] / 10,
    })
    return {
      claims,
      figures: [
        {
          name: 'step',
          caption:
            'Largest relative difference between both gradients against their step, with tanh and cross-entropy.',
          svg: await lines(
            { error: { x: steps, y: curve } },
            { x: 'ε', y: 'relative error', logX: true, logY: true },
          ),
        },
      ],
    }
  },
}
