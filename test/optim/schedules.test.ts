/** Schedules against their formulas, and an optimizer that follows one. */
import t, { type Test } from 'tap'
import {
  ArgumentError,
  Linear,
  SGD,
  schedules,
  scope,
  setBackend,
  tensor,
} from '../../lib/index.js'
import { refuses } from '../support/reference.js'

const STEPS = [0, 1, 2, 3, 4, 5, 9, 10, 11, 1000]
const close = (t: Test, found: number, wanted: number, message: string) =>
  t.ok(Math.abs(found - wanted) <= 1e-12 * Math.abs(wanted), `${message}: ${found}, ${wanted}`)

t.test('constant', async (t) => {
  for (const step of STEPS) t.equal(schedules.constant(0.3)(step), 0.3)
})

t.test('stepDecay: times the factor after every so many steps', async (t) => {
  const schedule = schedules.stepDecay(0.8, 5, 0.5)
  for (const step of STEPS) close(t, schedule(step), 0.8 * 0.5 ** Math.floor(step / 5), `${step}`)
  t.strictSame([0, 4, 5, 9, 10].map(schedule), [0.8, 0.8, 0.4, 0.4, 0.2])
  close(t, schedules.stepDecay(1, 2)(2), 0.1, 'a tenth by default')
})

t.test('exponential: lr·decay^step', async (t) => {
  const schedule = schedules.exponential(0.5, 0.9)
  let expected = 0.5
  for (let step = 0; step < 50; step++, expected *= 0.9)
    close(t, schedule(step), expected, `${step}`)
})

t.test('cosine: from lr to final along half a cosine, then final', async (t) => {
  const schedule = schedules.cosine(0.5, 10, 0.1)
  t.equal(schedule(0), 0.5)
  close(t, schedule(5), 0.3, 'half-way')
  for (const step of [10, 11, 1000]) t.equal(schedule(step), 0.1)
  for (let step = 0; step < 10; step++) {
    t.ok(schedule(step + 1) < schedule(step), `it falls at step ${step}`)
    close(t, schedule(step) + schedule(10 - step), 0.6, 'the same on both sides of the middle')
  }
  t.equal(schedules.cosine(0.5, 10)(10), 0, 'to 0 by default')
})

t.test('values that no schedule can be made of', async (t) => {
  const refused: [() => unknown, string][] = [
    [() => schedules.stepDecay(1, 0), 'stepDecay: expected every > 0, got 0'],
    [() => schedules.stepDecay(1, 5, -1), 'stepDecay: expected factor > 0, got -1'],
    [() => schedules.exponential(1, 0), 'exponential: expected decay > 0, got 0'],
    [() => schedules.cosine(1, Number.NaN), 'cosine: expected steps > 0, got NaN'],
    [
      () => schedules.oneCycle(Object.create(null), 5),
      'oneCycle: expected lr to be a finite number, got [Object: null prototype] {}',
    ],
  ]
  for (const [make, message] of refused) refuses(t, make, ArgumentError, message)
})

t.test('an optimizer asks for the value of the step that it takes', async (t) => {
  setBackend('native')
  const layer = new Linear(1, 1, { bias: false })
  layer.weight.assign([0])
  const asked: number[] = []
  const optimizer = new SGD(layer.parameters(), {
    lr: (step) => {
      asked.push(step)
      return 2 ** -step
    },
  })
  t.equal(optimizer.lrOf(), 1)
  for (let step = 0; step < 4; step++) {
    // A gradient of -1.
    scope(() =>
      layer
        .forward(tensor([[-1]]))
        .sum()
        .backward(),
    )
    optimizer.step()
    optimizer.zeroGrad()
  }
  t.equal(layer.weight.item(), 1 + 0.5 + 0.25 + 0.125)
  t.strictSame([...new Set(asked)], [0, 1, 2, 3])
  t.equal(optimizer.lrOf(), 1 / 16)
})
