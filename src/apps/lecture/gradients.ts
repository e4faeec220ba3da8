/** Item 12: gradients by automatic differentiation, checked against central differences. */
import {
  binaryCrossEntropyWithLogits,
  Generator,
  type GradCheckOptions,
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
import { format, formatList } from './numbers.js'

const activations = {
  sigmoid: (a: Tensor) => a.sigmoid(),
  tanh: (a: Tensor) => a.tanh(),
  relu: (a: Tensor) => a.relu(),
}

// lecture:begin
/** Checks the objective of a network with two hidden layers, as a function of inputs and weights. */
function check(
  loss: Loss<'labels'>,
  g: (a: Tensor) => Tensor,
  options: GradCheckOptions = {},
  seed = 1,
) {
  const objective = (x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, W3: Tensor) => {
    const h1 = g(x.matmul(W1).add(b1))
    const h2 = g(h1.matmul(W2).add(b2))
    const labels = tensor([0, 2, 1, 1, 0], [5], 'int32')
    const risk = loss(h2.matmul(W3), labels)
    return [W1, W2, W3].reduce((sum, W) => sum.add(l2(1e-3).penalty(W)), risk)
  }
  const random = new Generator(seed)
  const draw = (...shape: number[]) => random.normal(shape)
  const inputs = [draw(5, 4), draw(4, 6), draw(6), draw(6, 5), draw(5), draw(5, 3)] as const
  return gradCheck(objective, inputs, options) // { ok, maxRelativeError, worst }
}
// lecture:end

export const gradients: Experiment = {
  name: 'gradients',
  items: [12],
  title: 'Back-propagation, checked',
  formula: String.raw`\frac{\partial l}{\partial \theta} \approx \frac{l(\theta + \varepsilon) - l(\theta - \varepsilon)}{2\varepsilon}`,
  symbols: `ε: a small step of one weight, all others staying as they are`,
  text: `Networks with two hidden layers and L2 are differentiated by back-propagation and, one weight
after the other, by central differences in double precision, for every loss and activation. A
gradient with a deliberate mistake is found.`,

  async run({ seed, progress }: Context): Promise<Outcome> {
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
      const errors = Object.values(activations).map(
        (g) => check(loss, g, {}, 1 + seed).maxRelativeError,
      )
      claims.push({
        claim: `${name}, after sigmoid, tanh and relu: largest relative error of any derivative`,
        measured: formatList(errors, 2),
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
    const errors = steps.map((eps) =>
      // Without a tolerance nothing is set aside as rounding: here that is what is to be seen.
      check(softmaxCrossEntropy, activations.tanh, { eps, tolerance: Number.MAX_VALUE }, 1 + seed),
    )
    const curve = errors.map(({ maxRelativeError }) => maxRelativeError)
    const least = curve.indexOf(Math.min(...curve))
    claims.push({
      claim: 'The differences are best at a step in between: larger ones curve, smaller ones round',
      measured: `${format(curve[least], 2)} at ε = ${format(steps[least], 2)}, ${format(curve[0], 2)} at 1, ${format(curve[24], 2)} at ${format(steps[24], 2)}`,
      ok: curve[least] < curve[0] / 1e6 && curve[least] < curve[24] / 1e4,
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
