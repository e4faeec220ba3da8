/** Recording in parts, between which other things happen. */

import { currentBackend } from '../../lib/backend/current.js'
import { underneath } from '../../lib/backend/record.js'
import { captureInParts } from '../../lib/capture/capture.js'
import { Recorded } from '../../lib/capture/recorded.js'
import { memory, ones, SGD, softmaxCrossEntropy, type Tensor } from '../../lib/index.js'
import { batch, bits, network, onBothBackendsLater, rejects } from '../support/engine.js'

/** A step that may be paused before its update. */
function problem(fail = () => {}) {
  const model = network([6, 9, 4])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  function* step(x: Tensor, labels: Tensor<'int32'>) {
    const loss = softmaxCrossEntropy(model.forward(x), labels)
    yield
    fail()
    loss.backward()
    optimizer.step()
    optimizer.zeroGrad()
    return loss
  }
  return { model, step }
}

const INPUTS = [
  { dtype: 'float32', shape: [5, 6], requiresGrad: false },
  { dtype: 'int32', shape: [5], requiresGrad: false },
] as const

onBothBackendsLater('what happens meanwhile', async (t) => {
  const { model, step } = problem()
  const data = batch(1, [5, 6, 4])
  const before = model.parameters().map((w) => [...bits(w)])
  const record = (meanwhile: () => void) => {
    const making = Recorded.make(underneath(currentBackend()), step as never, INPUTS)
    let pauses = 0
    for (;;) {
      const next = making.next()
      if (next.done) return { recorded: next.value, pauses }
      pauses++
      meanwhile()
    }
  }
  // Ops that others do are computed, not recorded.
  const { recorded, pauses } = record(() => t.equal(ones([2]).add(1).data()[0], 2))
  t.equal(pauses, 4, 'before the update, and between the parts that follow')
  t.ok(recorded.fits)
  t.strictSame(
    model.parameters().map((w) => [...bits(w)]),
    before,
    'nothing was computed yet',
  )
  const wanted = problem()
  const call = captureInParts(wanted.step, 2)
  const [loss, wantedLoss] = [recorded.call(data) as Tensor, call(...data)]
  t.strictSame([...bits(loss)], [...bits(wantedLoss)])
  t.strictSame(
    model.parameters().map((w) => [...bits(w)]),
    wanted.model.parameters().map((w) => [...bits(w)]),
  )

  let isFirst = true
  const switched = record(() => {
    if (isFirst) model.parameters()[0].requiresGrad = false
    isFirst = false
  })
  t.notOk(switched.recorded.fits, 'what was switched meanwhile is seen')
  recorded.dispose()
  switched.recorded.dispose()
  call.dispose()
})

onBothBackendsLater('recorded ahead', async (t) => {
  const { model, step } = problem()
  const f = captureInParts(step, 2)
  const [x, labels] = batch(1, [5, 6, 4])
  const rows = [x.reshape([1, 5, 6]), labels.reshape([1, 5]) as Tensor<'int32'>] as const
  // The same at once twice: one of them is used.
  await Promise.all([f.record(...rows), f.record(...rows)])
  const { buffers } = memory()
  await f.record(...rows)
  t.equal(memory().buffers, buffers, 'there it is')
  f(x, labels)
  t.equal(memory().buffers, buffers, 'it is used')
  f.dispose()
  t.ok(model)

  const failing = problem(() => {
    throw new RangeError('own')
  })
  const g = captureInParts(failing.step, 2)
  const before = memory().buffers
  await rejects(t, g.record(...rows), RangeError, 'own')
  t.equal(memory().buffers, before, 'nothing stays of it')
  t.ok(failing.model.parameters().every(({ grad }) => grad === null))
  g.dispose()
})
