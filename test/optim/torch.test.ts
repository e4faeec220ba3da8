/**
 * Against PyTorch (fixtures/optimizers.json; the script is beside it): twenty steps of each optimizer with and
 * without its options, and each of them captured, to the same bits; the numbers of L-BFGS, of clipping, of
 * averages, and the schedules.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import * as nb from '../../lib/index.js'
import { capture, type Optimizer, scope, type Tensor, tensor } from '../../lib/index.js'
import type { Nested } from '../../lib/tensor/print.js'
import { bits, close, identical } from '../support/engine.js'
import { onBothBackends } from '../support/reference.js'

interface Run {
  settings: Record<string, number | boolean | string>
  losses: number[]
  weights: Nested[]
}

const fixture: {
  start: Nested[]
  targets: Nested[]
  scales: Nested[]
  runs: (Run & { name: OptimizerName })[]
  lbfgs: (Run & { evaluations: number })[]
  schedules: Record<string, number[]>
  plateau: { losses: (number | 'NaN')[]; runs: { settings: object; lrs: number[] }[] }
  clips: { maxNorm: number; normType: string; total: number; gradients: Nested[] }[]
  clipValue: { limit: number; gradients: Nested[] }
  ema: { decay: number; averages: Nested[]; weights: Nested[] }[]
} = JSON.parse(readFileSync(new URL('../fixtures/optimizers.json', import.meta.url), 'utf8'))

const classes = {
  SGD: nb.SGD,
  Adam: nb.Adam,
  AdamW: nb.AdamW,
  NAdam: nb.NAdam,
  RAdam: nb.RAdam,
  RMSprop: nb.RMSprop,
  Adagrad: nb.Adagrad,
  Adadelta: nb.Adadelta,
  Lion: nb.Lion,
}
type OptimizerName = keyof typeof classes

const make = (name: OptimizerName, parameters: Tensor[], settings: object): Optimizer =>
  new classes[name](parameters, settings as { lr: number })

/** The parameters of the fixture, and the loss that pulls them to its targets. */
function problem() {
  const parameters = fixture.start.map((values) => {
    const w = tensor(values as number[][])
    w.requiresGrad = true
    return w
  })
  const [targets, scales] = [fixture.targets, fixture.scales].map((list) =>
    list.map((values) => tensor(values as number[][])),
  )
  const loss = (power = 2) =>
    parameters
      .map((w, i) => w.sub(targets[i]).abs().pow(power).mul(scales[i]).sum())
      .reduce((a, b) => a.add(b))
  return { parameters, loss }
}

const flat = (values: Nested): number[] =>
  Array.isArray(values) ? values.flatMap(flat) : [values as number]

function closeAll(t: Test, found: readonly Tensor[], wanted: readonly Nested[], tolerance: number) {
  for (const [i, x] of found.entries()) close(t, x.data(), flat(wanted[i]), tolerance, `${i}`)
}

for (const { name, settings, losses, weights } of fixture.runs) {
  onBothBackends(`${name} ${JSON.stringify(settings)}`, (t) => {
    const [eager, captured] = [problem(), problem()].map(({ parameters, loss }) => {
      const optimizer = make(name, parameters, settings)
      const step = () => {
        const value = loss()
        value.backward()
        optimizer.step()
        optimizer.zeroGrad()
        return value
      }
      return { parameters, step }
    })
    const found = losses.map(() => scope(() => eager.step().item()))
    close(t, found, losses, 1e-5, 'losses')
    // Each of twenty steps is rounded a few times.
    closeAll(t, eager.parameters, weights, 2e-6)
    const replayed = capture(captured.step)
    identical(
      t,
      losses.map(() => replayed().item()),
      found,
      'captured losses',
    )
    t.strictSame(captured.parameters.map(bits), eager.parameters.map(bits), 'captured weights')
    replayed.dispose()
  })
}

for (const { settings, losses, evaluations, weights } of fixture.lbfgs) {
  onBothBackends(`LBFGS ${JSON.stringify(settings)}`, (t) => {
    const { parameters, loss } = problem()
    const optimizer = new nb.LBFGS(parameters, settings as never)
    let count = 0
    const closure = () => {
      count++
      optimizer.zeroGrad()
      const value = loss().add(loss(4).mul(0.125))
      value.backward()
      return value
    }
    const found = losses.map(() => optimizer.step(closure))
    close(t, found, losses, 2e-5, 'losses')
    closeAll(t, parameters, weights, 1e-3)
    t.equal(count, evaluations, 'evaluations of the loss')
  })
}

const { warmUp, cosine, cosineRestarts, oneCycle, polynomial } = nb.schedules
const schedules: Record<string, nb.schedules.Schedule> = {
  'warmUp(5, 0.5, 1/3)': warmUp(5, 0.5, 1 / 3),
  'warmUp(6, cosine(0.5, 20), 0.25)': warmUp(6, cosine(0.5, 20), 0.25),
  'cosineRestarts(0.5, 7)': cosineRestarts(0.5, 7),
  'cosineRestarts(0.5, 4, 2, 0.125)': cosineRestarts(0.5, 4, 2, 0.125),
  'oneCycle(0.5, 30)': oneCycle(0.5, 30),
  'oneCycle(0.5, 30, { pctStart: 0.5, divFactor: 10, finalDivFactor: 100 })': oneCycle(0.5, 30, {
    pctStart: 0.5,
    divFactor: 10,
    finalDivFactor: 100,
  }),
  "oneCycle(0.5, 30, { annealStrategy: 'linear' })": oneCycle(0.5, 30, {
    annealStrategy: 'linear',
  }),
  'polynomial(0.5, 12)': polynomial(0.5, 12),
  'polynomial(0.5, 12, 2)': polynomial(0.5, 12, 2),
}

t.test('schedules', async (t) => {
  t.strictSame(Object.keys(schedules), Object.keys(fixture.schedules))
  for (const [name, wanted] of Object.entries(fixture.schedules)) {
    close(
      t,
      wanted.map((_, step) => schedules[name](step)),
      wanted,
      1e-12,
      name,
    )
  }
})

t.test('ReduceOnPlateau', async (t) => {
  for (const { settings, lrs } of fixture.plateau.runs) {
    const optimizer = new nb.SGD([tensor([0])], { lr: 0.5 })
    const plateau = new nb.ReduceOnPlateau(optimizer, settings)
    const found = fixture.plateau.losses.map((loss) => {
      plateau.update(Number(loss))
      return optimizer.lrOf()
    })
    close(t, found, lrs, 1e-12, JSON.stringify(settings))
  }
})

onBothBackends('clipGradNorm and clipGradValue', (t) => {
  for (const { maxNorm, normType, total, gradients } of fixture.clips) {
    const { parameters, loss } = problem()
    scope(() => loss().mul(4).backward())
    const found = nb.clipGradNorm(parameters, maxNorm, {
      normType: normType === 'inf' ? Infinity : 2,
    })
    close(t, [found.item()], [total], 1e-6 * total, 'the norm before')
    closeAll(
      t,
      parameters.map(({ grad }) => grad!),
      gradients,
      1e-6 * total,
    )
  }
  const { parameters, loss } = problem()
  scope(() => loss().backward())
  nb.clipGradValue(parameters, fixture.clipValue.limit)
  closeAll(
    t,
    parameters.map(({ grad }) => grad!),
    fixture.clipValue.gradients,
    1e-6,
  )
})

onBothBackends('ExponentialMovingAverage', (t) => {
  for (const { decay, averages, weights } of fixture.ema) {
    const { parameters, loss } = problem()
    const optimizer = new nb.SGD(parameters, { lr: 0.125 })
    const average = new nb.ExponentialMovingAverage(parameters, { decay })
    for (let step = 0; step < 20; step++) {
      scope(() => loss().backward())
      optimizer.step()
      optimizer.zeroGrad()
      average.update()
    }
    average.swapped(() => closeAll(t, parameters, averages, 2e-6))
    closeAll(t, parameters, weights, 2e-6)
  }
})
