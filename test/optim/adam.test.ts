/**
 * Adam against its formula in float64, over enough steps that a decay rounded to float32 would show,
 * and its settings.
 */
import t from 'tap'
import { Adam, ArgumentError, setBackend, tensor } from '../../lib/index.js'

/** Kingma and Ba 2015, algorithm 1, as it is written there. */
function formula(start: number[], gradients: number[][], lr: number): number[] {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8]
  const w = [...start]
  const m = w.map(() => 0)
  const v = w.map(() => 0)
  for (const [step, g] of gradients.entries()) {
    for (let i = 0; i < w.length; i++) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i]
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
      const mean = m[i] / (1 - beta1 ** (step + 1))
      const square = v[i] / (1 - beta2 ** (step + 1))
      w[i] -= (lr * mean) / (Math.sqrt(square) + epsilon)
    }
  }
  return w
}

for (const backend of ['native', 'js'] as const) {
  t.test(`${backend}: fifty steps are the formula's`, async (t) => {
    setBackend(backend)
    const start = [0.5, -1, 0.25, 2]
    const gradients = Array.from({ length: 50 }, (_, step) =>
      start.map((_, i) => Math.sin(step * (i + 1)) + 0.1 * i),
    )
    const w = tensor(start)
    w.requiresGrad = true
    const optimizer = new Adam([w], { lr: 0.01 })
    for (const g of gradients) {
      optimizer.zeroGrad()
      w.mul(tensor(g)).sum().backward()
      optimizer.step()
    }
    const expected = formula(start, gradients, 0.01)
    for (const [i, value] of w.data().entries()) {
      // 50 steps of at most 0.01, each rounded a few times in float32.
      t.ok(Math.abs(value - expected[i]) < 1e-6, `${value} against ${expected[i]}`)
    }
  })
}

t.test('settings out of range are refused', async (t) => {
  const w = tensor([1])
  for (const wrong of [{ beta1: 1 }, { beta2: -0.1 }, { epsilon: 0 }, { weightDecay: -1 }]) {
    t.throws(() => new Adam([w], { lr: 0.1, ...wrong }), ArgumentError)
  }
})
