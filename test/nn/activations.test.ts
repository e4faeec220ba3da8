/** Activations as modules, against their formulas; their gradients are tested with the ops. */
import t from 'tap'
import {
  ArgumentError,
  ELU,
  GELU,
  Hardtanh,
  LeakyReLU,
  LogSoftmax,
  Mish,
  type Module,
  PReLU,
  ReLU,
  SELU,
  Sequential,
  ShapeError,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { close } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

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

onBothBackends('the others are the methods of their names', (t) => {
  const modules: [Module, (x: Tensor) => Tensor][] = [
    [new LogSoftmax(), (x) => x.logSoftmax()],
    [new Softplus(), (x) => x.softplus()],
    [new Softsign(), (x) => x.softsign()],
    [new LeakyReLU(), (x) => x.leakyRelu(0.01)],
    [new LeakyReLU(0.2), (x) => x.leakyRelu(0.2)],
    [new ELU(0.5), (x) => x.elu(0.5)],
    [new SELU(), (x) => x.selu()],
    [new GELU(), (x) => x.gelu()],
    [new GELU('tanh'), (x) => x.gelu('tanh')],
    [new SiLU(), (x) => x.silu()],
    [new Mish(), (x) => x.mish()],
    [new Hardtanh(), (x) => x.clip(-1, 1)],
    [new Hardtanh(-2, 0.5), (x) => x.clip(-2, 0.5)],
    [new PReLU(), (x) => x.leakyRelu(0.25)],
  ]
  for (const [module, f] of modules) {
    const y = module.forward(tensor(ROWS))
    t.strictSame(y.toArray(), f(tensor(ROWS)).toArray(), module.constructor.name)
  }
})

onBothBackends('PReLU learns its slopes', (t) => {
  const module = new PReLU(5, 0.5)
  module.forward(tensor(ROWS)).sum().backward()
  t.strictSame(module.weight.grad!.toArray(), [-3, -0.5, 0, -1000, 0])
  t.equal(module.weight.regularized, false)
  refuses(t, () => new PReLU(3).forward(tensor(ROWS)), ShapeError, /^prelu: expected a weight of/)
})

t.test('settings that are none', async (t) => {
  refuses(t, () => new GELU(wrong('exact')), ArgumentError, /^GELU: expected none or tanh, got /)
  refuses(t, () => new Hardtanh(1, 0), ArgumentError, 'Hardtanh: expected min <= max, got 1 and 0')
  refuses(t, () => new ELU(wrong('1')), ArgumentError, /^ELU: expected alpha to be a number/)
  refuses(t, () => new LeakyReLU(wrong(null)), ArgumentError, /^LeakyReLU: expected negativeSlope/)
  refuses(t, () => new PReLU(0), ArgumentError, /^PReLU: expected numParameters >= 1, got 0$/)
})
