// Trainings and products whose bits must be the same on every CPU with fused multiply-add, as digests
// by their names. Plain JavaScript, for it also runs where there is nothing but Node
// (scripts/bare/program.mjs).
import { createHash } from 'node:crypto'

/** @param nb the library, with the native backend */
export async function digests(nb) {
  const found = {}
  const digest = (tensors) => {
    const hash = createHash('sha256')
    for (const x of tensors) hash.update(new Uint8Array(x.data().buffer))
    return hash.digest('hex').slice(0, 16)
  }
  const optimizers = {
    sgd: (w) => new nb.SGD(w, { lr: 0.1, regularizer: nb.l1(1e-4) }),
    nesterov: (w) => new nb.SGD(w, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
    adam: (w) => new nb.Adam(w, { lr: 1e-3 }),
  }
  for (const [activation, units, size] of [
    ['relu', [50, 70, 10], 33],
    ['tanh', [20, 150, 3], 1],
    ['sigmoid', [300, 64, 65, 7], 128],
    ['relu', [700, 129, 2], 300],
  ]) {
    for (const [name, optimizer] of Object.entries(optimizers)) {
      for (const threads of [1, 2]) {
        nb.setNumThreads(threads)
        const generator = new nb.Generator(1)
        const model = nb.mlp([...units], { generator, activation })
        const used = optimizer(model.parameters())
        const xs = generator.normal([10, size, units[0]])
        const labels = Int32Array.from({ length: 10 * size }, (_, i) => i % units.at(-1))
        const step = nb.capture((x, y) => {
          const risk = nb.softmaxCrossEntropy(model.forward(x), y)
          risk.backward()
          used.step()
          used.zeroGrad()
          return risk
        })
        await step.runMany(xs, nb.tensor(labels).reshape([10, size]))
        found[`${activation} ${units} ${size} ${name} ${threads}`] = digest(model.parameters())
      }
    }
  }
  for (const threads of [1, 2]) {
    nb.setNumThreads(threads)
    const generator = new nb.Generator(3)
    const model = new nb.Sequential(
      new nb.Conv2d(3, 33, 3, { padding: 'same', generator }),
      new nb.ReLU(),
      new nb.Conv2d(33, 36, [3, 2], { stride: 2, padding: 2, generator }),
      new nb.ReLU(),
      new nb.DepthwiseConv2d(36, 36, 3, { dilation: [1, 2], generator }),
      new nb.Conv2d(36, 6, 1, { groups: 3, generator }),
      new nb.ConvTranspose2d(6, 5, 3, { stride: 2, generator }),
      new nb.Flatten(),
      new nb.Linear(315, 7, { generator }),
    )
    const used = new nb.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
    const labels = Int32Array.from({ length: 120 }, (_, i) => i % 7)
    const step = nb.capture((x, y) => {
      const risk = nb.softmaxCrossEntropy(model.forward(x), y)
      risk.backward()
      used.step()
      used.zeroGrad()
      return risk
    })
    const xs = generator.normal([10, 12, 9, 11, 3])
    await step.runMany(xs, nb.tensor(labels).reshape([10, 12]))
    found[`convolutions ${threads}`] = digest(model.parameters())
  }
  const generator = new nb.Generator(2)
  for (const [m, k, n] of [
    [1, 1000, 200],
    [65, 2050, 70],
  ]) {
    const [a, b] = [generator.normal([m, k]), generator.normal([k, n])]
    found[`product ${m} ${k} ${n}`] = digest([
      a.matmul(b),
      b.matmul(a, { transA: true, transB: true }),
    ])
  }
  return found
}
