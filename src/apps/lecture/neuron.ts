/** Item 1: one artificial neuron, its weights set and read by hand. */
import { dataset, Generator, Linear, tensor } from 'neuroblas'
import { decisionBoundary, lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { format, formatList } from './numbers.js'

// lecture:begin
const w = [1.5, -2]
const b = 0.5
// lecture:end

/** The output of a neuron with one input from -4 to 4. */
function cut(weight: number, bias: number) {
  const unit = new Linear(1, 1)
  unit.weight.assign([weight])
  unit.bias?.assign([bias])
  const x = Float32Array.from({ length: 161 }, (_, i) => i / 20 - 4)
  return {
    x,
    y: unit
      .forward(tensor(x, [x.length, 1]))
      .sigmoid()
      .data(),
  }
}

export const neuron: Experiment = {
  name: 'neuron',
  items: [1],
  title: 'An artificial neuron',
  formula: String.raw`a(x) = b + \sum_i w_i x_i = b + w^\top x, \qquad h(x) = g(a(x))`,
  symbols: `x: the input; w: the weights; b: the bias; a: the pre-activation; g: the activation function, here
the sigmoid; h: the activation, what the neuron answers`,
  text: `A layer with one unit is a neuron. Its weights and its bias are set by hand, and its output is
compared with the formula at a thousand random points. The output changes along w only; where
b + wᵀx = 0 the sigmoid is one half.`,

  async run({ seed }: Context): Promise<Outcome> {
    // lecture:begin
    const unit = new Linear(2, 1)
    unit.weight.assign(w)
    unit.bias?.assign([b])
    const h = (x: readonly number[][]) => unit.forward(tensor(x)).sigmoid().data()
    // lecture:end

    const points = new Generator(1 + seed).uniform([1000, 2], -4, 4).toArray() as number[][]
    const formula = points.map(([x1, x2]) => 1 / (1 + Math.exp(-(b + w[0] * x1 + w[1] * x2))))
    const error = Math.max(...Array.from(h(points), (y, i) => Math.abs(y - formula[i])))

    // Points of the line b + wᵀx = 0, and two others at ±ln 3 / ‖w‖ beside it.
    const norm = Math.hypot(...w)
    const beside = (distance: number) => w.map((value) => (value / norm) * (distance - b / norm))
    const [low, middle, high] = h([-1, 0, 1].map((side) => beside((side * Math.log(3)) / norm)))
    const some = points.slice(0, 100)
    const classes = formula.slice(0, 100).map((y) => (y > 0.5 ? 1 : 0))
    const read = [...unit.weight.data(), ...(unit.bias?.data() ?? [])]
    return {
      claims: [
        {
          claim: 'The output is g(b + wᵀx) at 1,000 random points (largest difference)',
          measured: error,
          ok: error < 1e-6,
        },
        {
          claim: 'Weights and bias read back as they were set',
          measured: formatList(read),
          ok: String(read) === String([...w, b]),
        },
        {
          claim: 'On the line at the distance |b|/‖w‖ from the origin the output is 1/2',
          measured: middle,
          ok: Math.abs(middle - 0.5) < 1e-6,
        },
        {
          claim:
            'It is 1/4 and 3/4 at the distance ln 3/‖w‖ beside that line: larger weights, steeper',
          measured: `${format(low, 6)} and ${format(high, 6)}`,
          ok: Math.abs(low - 0.25) < 1e-6 && Math.abs(high - 0.75) < 1e-6,
        },
      ],
      figures: [
        {
          name: 'plane',
          caption: `The output over the plane for w = (${formatList(w)}) and b = ${b}: darker where it is
nearer to 0 or 1. The points have the class that the neuron gives them.`,
          svg: await decisionBoundary(unit, dataset({ inputs: some, targets: classes })),
        },
        {
          name: 'slope',
          caption: 'One input: the weight says how steep the output is, the bias where it rises.',
          svg: await lines(
            { 'w = 1, b = 0': cut(1, 0), 'w = 4, b = 0': cut(4, 0), 'w = 4, b = −8': cut(4, -8) },
            { x: 'x', y: 'h(x)' },
          ),
        },
      ],
    }
  },
}
