/** Activations as modules, against their formulas; their gradients are tested with the ops. */
import { type Module, ReLU, Sequential, Sigmoid, Softmax, Tanh, tensor } from '../../lib/index.js'
import { close } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'

const ROWS = [
  [-3, -0.5, 0, 0.25, 4],
  [1000, 999, 998, -1000, 0],
]

const elementwise: [Module, (a: number) => number][] = [
  [new ReLU(), (a) => Math.max(0, a)],
  [new Sigmoid(), (a) => 1 / (1 + Math.exp(-a))],
  [new Tanh(), Math.tanh],
]
onBothBackends('ReLU, Sigmoid and Tanh, element by element', (t) => {
  for (const [module, f] of elementwise) {
    const y = module.forward(tensor(ROWS))
    t.strictSame(y.shape, [2, 5])
    close(t, y.data(), ROWS.flat().map(f), 1e-6, module.constructor.name)
    t.equal(module.parameters().length, 0)
  }
})

/** Of one row, without the overflow of e^1000. */
function softmax(row: number[]): number[] {
  const powers = row.map((a) => Math.exp(a - Math.max(...row)))
  const total = powers.reduce((a, b) => a + b)
  return powers.map((power) => power / total)
}

onBothBackends('Softmax: probabilities along the last axis', (t) => {
  const y = new Sequential(new Softmax()).forward(tensor(ROWS))
  close(t, y.data(), ROWS.flatMap(softmax), 1e-6, 'probabilities')
  close(t, y.sum(-1).data(), [1, 1], 1e-6, 'each row adds up to 1')
  const shifted = new Softmax().forward(tensor(ROWS).add(7))
  close(t, shifted.data(), y.data(), 1e-5, 'a constant changes nothing')
  const cube = new Softmax().forward(tensor([ROWS, ROWS]))
  t.strictSame(cube.shape, [2, 2, 5])
  close(t, cube.data(), [...y.data(), ...y.data()], 1e-6, 'more axes')
})
