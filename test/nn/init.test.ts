/** Initializers: the moments and bounds that their papers give, for weights of any shape. */
import t from 'tap'
import {
  ArgumentError,
  Conv2d,
  ConvTranspose2d,
  Generator,
  init,
  Linear,
  mlp,
  type Shape,
  setSeed,
  type Tensor,
} from '../../lib/index.js'
import { identical } from '../support/engine.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

t.test('fans: what goes into a unit, and how many units there are', async (t) => {
  t.strictSame(init.fans([300, 200]), { fanIn: 300, fanOut: 200 }, 'a linear layer')
  // Keras's compute_fans of the same shapes, PyTorch's of their permutations.
  t.strictSame(init.fans([5, 4, 8]), { fanIn: 20, fanOut: 40 }, 'a convolution of lines')
  t.strictSame(init.fans([3, 3, 4, 8]), { fanIn: 36, fanOut: 72 }, 'of images')
  t.strictSame(init.fans([2, 3, 5, 4, 8]), { fanIn: 120, fanOut: 240 }, 'of volumes')
  t.strictSame(init.fans([5]), { fanIn: 1, fanOut: 5 })
  t.strictSame(init.fans([]), { fanIn: 1, fanOut: 1 })
})

const SHAPES: Shape[] = [
  [300, 200],
  [60, 1000],
  [3, 3, 50, 100],
]
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => a + b) / values.length
const variance = (x: Tensor) => x.sub(x.mean()).square().mean().item()

const schemes: Record<string, [init.Initializer, (fans: ReturnType<typeof init.fans>) => number]> =
  {
    glorotUniform: [init.glorotUniform, ({ fanIn, fanOut }) => 2 / (fanIn + fanOut)],
    glorotNormal: [init.glorotNormal, ({ fanIn, fanOut }) => 2 / (fanIn + fanOut)],
    heUniform: [init.heUniform, ({ fanIn }) => 2 / fanIn],
    heNormal: [init.heNormal, ({ fanIn }) => 2 / fanIn],
    lecunUniform: [init.lecunUniform, ({ fanIn }) => 1 / fanIn],
    lecunNormal: [init.lecunNormal, ({ fanIn }) => 1 / fanIn],
  }
for (const [name, [scheme, varianceOf]] of Object.entries(schemes)) {
  onBothBackends(name, (t) => {
    for (const shape of SHAPES) {
      const w = scheme(shape, new Generator(1))
      t.strictSame(w.shape, shape)
      const expected = varianceOf(init.fans(shape))
      // Of n draws with this variance: the mean's standard error is sqrt(variance / n); that of the
      // variance itself at most variance·sqrt(2 / n), which a normal distribution has.
      const five = 5 / Math.sqrt(w.size)
      t.ok(Math.abs(mean(w.data())) < five * Math.sqrt(expected), `mean of ${shape}`)
      const ratio = variance(w) / expected
      t.ok(Math.abs(ratio - 1) < five * Math.SQRT2, `variance of ${shape}: ${ratio} times`)
      const bound = Math.sqrt(3 * expected)
      const largest = w.abs().max().item() / bound
      if (name.endsWith('Uniform')) t.ok(largest <= 1 && largest > 0.99, `${largest} of the bound`)
      else t.ok(largest > 1.5, 'a normal distribution goes beyond')
    }
  })
}

onBothBackends('zeros, uniform and normal', (t) => {
  t.strictSame(init.zeros([2, 3]).toArray(), [
    [0, 0, 0],
    [0, 0, 0],
  ])
  const [low, high] = [-2, 5]
  const uniform = init.uniform(low, high)([100, 100], new Generator(1))
  t.ok(uniform.min().item() >= low && uniform.min().item() < low + 0.01)
  t.ok(uniform.max().item() <= high && uniform.max().item() > high - 0.01)
  const normal = init.normal(3, 0.5)([100, 100], new Generator(1))
  t.ok(Math.abs(normal.mean().item() - 3) < (5 * 0.5) / 100)
  t.ok(Math.abs(variance(normal) / 0.25 - 1) < (5 * Math.SQRT2) / 100)
})

onBothBackends('orthogonal: rows or columns, whichever are fewer', (t) => {
  for (const gain of [1, 3]) {
    for (const [rows, cols] of [
      [30, 20],
      [20, 30],
      [25, 25],
      [1, 7],
    ]) {
      const w = init.orthogonal(gain)([rows, cols], new Generator(2))
      const products = rows < cols ? w.matmul(w.transpose()) : w.transpose().matmul(w)
      const n = Math.min(rows, cols)
      for (const [i, row] of (products.toArray() as number[][]).entries()) {
        for (const [j, product] of row.entries()) {
          const expected = i === j ? gain ** 2 : 0
          if (Math.abs(product - expected) < 1e-6 * gain ** 2) continue
          t.fail(`${rows} x ${cols}: product ${i}, ${j} of ${n} is ${product}`)
        }
      }
      t.strictSame(w.shape, [rows, cols])
    }
  }
  refuses(
    t,
    () => init.orthogonal()([2, 3, 4]),
    ArgumentError,
    'orthogonal: expected a matrix, got 3 axes',
  )
})

onBothBackends('what is drawn is the same for the same seed', (t) => {
  const shape = [7, 9]
  for (const scheme of [init.glorotUniform, init.heNormal, init.uniform(0, 1), init.orthogonal()]) {
    const draw = (seed: number) => scheme(shape, new Generator(seed)).data()
    identical(t, draw(3), draw(3), 'from a generator of its own')
    t.notSame(draw(4), draw(3))
    const drawn = [1, 2].map(() => {
      setSeed(5)
      return scheme(shape).data()
    })
    identical(t, drawn[0], drawn[1], 'from the default generator')
  }
})

onBothBackends("init: 'torch' draws weights and biases as PyTorch does", (t) => {
  // nn.Linear and nn.Conv2d: kaiming_uniform_(weight, a=√5) is uniform on ±√(6 / (1 + 5) / fan_in), the
  // bias on ±1 / √fan_in; fan_in of ConvTranspose2d is that of its weight [in, out / groups, …].
  const generator = new Generator(4)
  const layers = {
    linear: [new Linear(64, 500, { init: 'torch', generator }), 64],
    conv: [new Conv2d(16, 400, 3, { groups: 4, init: 'torch', generator }), 36],
    transposed: [new ConvTranspose2d(40, 300, 2, { init: 'torch', generator }), 1200],
  } as const
  for (const [name, [layer, fanIn]] of Object.entries(layers)) {
    const bound = 1 / Math.sqrt(fanIn)
    for (const part of ['weight', 'bias'] as const) {
      const values = layer[part]!.data()
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      t.ok(largest <= bound && largest > 0.98 * bound, `${name}: bound of ${part}`)
      const few = Math.sqrt(values.length)
      t.ok(Math.abs(mean(values)) < (3 * bound) / few, `${name}: mean of ${part}`)
      const spread = variance(layer[part]!) / (bound ** 2 / 3)
      t.ok(Math.abs(spread - 1) < 3 / few, `${name}: variance of ${part}`)
    }
    t.equal(layer.bias?.regularized, false)
  }
  t.equal(new Linear(3, 2, { init: 'torch', bias: false }).bias, null)
  t.strictSame(mlp([2, 3, 1], { init: 'torch' }).parameters().length, 4)
  refuses(
    t,
    () => new Linear(1, 1, { init: wrong('he') }),
    ArgumentError,
    /^Linear: expected init to be an initializer such as init\.heNormal, or 'torch', got he$/,
  )
})
