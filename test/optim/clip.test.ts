/** Clipped, accumulated and averaged gradients in loops of one's own, captured and not. */
import {
  ArgumentError,
  capture,
  clipGradNorm,
  clipGradValue,
  ExponentialMovingAverage,
  memory,
  ReleasedTensorError,
  SGD,
  ShapeError,
  scope,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { batch, bits, close, network, sameParameters } from '../support/engine.js'
import { leaf, onBothBackends, refuses, wrong } from '../support/reference.js'

const withGradient = (...values: number[]) => {
  const w = leaf(values)
  w.grad = tensor(values)
  return w
}

onBothBackends('a norm that is not finite is not hidden', (t) => {
  const [a, b, none] = [withGradient(1, Number.NaN), withGradient(3, 4), leaf([1])]
  t.ok(Number.isNaN(clipGradNorm([a, b, none], 1).item()))
  t.ok(
    [a, b].every((w) => w.grad!.data().every(Number.isNaN)),
    'all gradients show it',
  )
  t.equal(none.grad, null)
  const c = withGradient(Infinity, 1)
  t.equal(clipGradNorm([c], 1).item(), Infinity)
  t.strictSame([...c.grad!.data()], [Number.NaN, 0])
  const d = withGradient(Number.NaN, 5, -5)
  clipGradValue([d], 2)
  t.strictSame([...d.grad!.data()], [Number.NaN, 2, -2])
})

onBothBackends('a norm without gradients, and one that is only measured', (t) => {
  t.equal(clipGradNorm([leaf([1])], 1).item(), 0)
  const w = withGradient(3, -4)
  t.equal(clipGradNorm([w], Infinity).item(), 5)
  t.equal(clipGradNorm([w], Infinity, { normType: Infinity }).item(), 4)
  t.strictSame([...w.grad!.data()], [3, -4])
  const { buffers } = memory()
  clipGradNorm([w], 1).dispose()
  t.equal(memory().buffers, buffers, 'all else is freed')
})

onBothBackends('what cannot be clipped', (t) => {
  const w = withGradient(1)
  const refused: [() => unknown, string | RegExp][] = [
    [() => clipGradNorm([w], 0), 'clipGradNorm: expected maxNorm > 0, got 0'],
    [() => clipGradNorm([w], 1, { normType: 1 }), /expected normType 2 or Infinity, got 1$/],
    [() => clipGradNorm(wrong(w), 1), /^clipGradNorm: expected a list of tensors/],
    [() => clipGradNorm(wrong([1]), 1), /^clipGradNorm: expected a list of tensors .* got 1$/],
    [() => clipGradValue([w], Number.NaN), 'clipGradValue: expected limit > 0, got NaN'],
  ]
  for (const [call, message] of refused) refuses(t, call, ArgumentError, message)
})

onBothBackends('gradients add up over several backward calls, captured too', (t) => {
  const [eager, replayed, whole] = [1, 1, 1].map((seed) => network([5, 7, 3], seed))
  const step = (model: typeof eager) => {
    const optimizer = new SGD(model.parameters(), { lr: 0.25, momentum: 0.5 })
    const average = new ExponentialMovingAverage(model, { decay: 0.75 })
    return {
      average,
      take: (x: Tensor, labels: Tensor<'int32'>, parts = 4) => {
        for (let i = 0; i < parts; i++) {
          const size = x.shape[0] / parts
          const [from, to] = [i * size, (i + 1) * size]
          const part = labels.slice([from, to]) as Tensor<'int32'>
          softmaxCrossEntropy(model.forward(x.slice([from, to])), part)
            .div(parts)
            .backward()
        }
        const total = clipGradNorm(model.parameters(), 0.5)
        clipGradValue(model.parameters(), 0.25)
        optimizer.step()
        optimizer.zeroGrad()
        average.update()
        return total
      },
    }
  }
  const [a, b, c] = [eager, replayed, whole].map(step)
  const captured = capture((x: Tensor, labels: Tensor<'int32'>) => b.take(x, labels))
  for (let i = 0; i < 6; i++) {
    const [x, labels] = batch(i, [12, 5, 3])
    const norm = scope(() => a.take(x, labels).item())
    t.equal(captured(x, labels).item(), norm, 'the norm')
    scope(() => c.take(x, labels, 1))
  }
  sameParameters(t, replayed, eager, 'captured')
  for (const [i, w] of eager.parameters().entries()) {
    close(t, w.data(), whole.parameters()[i].data(), 1e-5, 'as the larger batch')
  }
  a.average.apply()
  b.average.apply()
  sameParameters(t, replayed, eager, 'averages')
})

onBothBackends('an average is applied, restored, kept and freed', (t) => {
  const { buffers } = memory()
  const w = leaf([1, 2])
  const average = new ExponentialMovingAverage([w], { decay: 0.5 })
  w.assign([3, 6])
  average.update()
  average.swapped(() => t.strictSame([...w.data()], [2, 4]))
  t.strictSame([...w.data()], [3, 6])
  t.throws(() => average.swapped(() => wrong(undefined).x), TypeError)
  t.strictSame([...w.data()], [3, 6], 'also where it throws')
  average.apply()
  refuses(t, () => average.update(), ArgumentError, /^Expon.*: update while the averages are in/)
  refuses(t, () => average.apply(), ArgumentError, /: apply while/)
  average.restore()
  refuses(t, () => average.restore(), ArgumentError, /: restore needs apply\(\) before it$/)
  const other = new ExponentialMovingAverage([leaf([0, 0])], { decay: 0.5 })
  other.loadStateDict(JSON.parse(JSON.stringify(average.stateDict())))
  t.strictSame(other.stateDict(), average.stateDict())
  const [name, shape] = [{ a: { shape: [2], data: [1, 2] } }, { 0: { shape: [1], data: [1] } }]
  refuses(t, () => other.loadStateDict(name), ArgumentError, /of 1 parameters, without 0$/)
  refuses(t, () => other.loadStateDict(shape), ShapeError, /expected 0 of shape \[2\], got/)
  average.dispose()
  refuses(t, () => average.update(), ReleasedTensorError, /update after dispose\(\)/)
  other.dispose()
  refuses(t, () => other.apply(), ReleasedTensorError, /apply after dispose\(\)/)
  refuses(
    t,
    () => new ExponentialMovingAverage([w], { decay: -1 }),
    ArgumentError,
    'ExponentialMovingAverage: expected decay from 0 to below 1, got -1',
  )
  w.dispose()
  t.ok(memory().buffers <= buffers + 1)
})

onBothBackends('an average in the place of the weights stops replays of its update', (t) => {
  const w = leaf([1, 2])
  const average = new ExponentialMovingAverage([w], { decay: 0.5 })
  const update = capture(() => {
    average.update()
    return w.sum()
  })
  update()
  average.apply()
  refuses(t, () => update(), ArgumentError, /: update while the averages/)
  average.restore()
  const before = bits(w)
  t.equal(update().item(), 3)
  t.strictSame(bits(w), before)
})
