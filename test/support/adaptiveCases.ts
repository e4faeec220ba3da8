/** Calls of the optimizers' steps that scale each gradient, and how far two backends may be apart. */
import type { KernelName } from '../../lib/backend/kernels.js'
import { adamSettings } from './arithmeticCases.js'
import type { Cases } from './case.js'
import type { Call, Tolerance } from './tolerance.js'
import { floats, SIZES } from './values.js'

const squares = (n: number) => floats(n).map((v) => v * v)
/** Larger than the squares of means, as they are wherever both are of the same gradients. */
const largeSquares = (n: number) => floats(n).map((v) => 10 + v * v)

/** With and without weight decay, L2 and L1, after the settings of an optimizer's own. */
function* settingsWith(...own: number[][]): Iterable<Float32Array> {
  for (const first of own) {
    for (const last of [
      [0, 0, 0],
      [0.25, 0.125, 0.5],
    ]) {
      yield Float32Array.of(...first, ...last)
    }
  }
}

function* steps(
  settings: readonly Float32Array[],
  ...states: ((n: number) => Float32Array)[]
): Cases {
  for (const n of SIZES) {
    for (const each of settings) {
      yield [floats(n), floats(n), ...states.map((state) => state(n)), each, n]
    }
    // The first step; that its gradients are exact is what their quotients rely on.
    yield [floats(n), floats(n), ...states.map(() => new Float32Array(n)), settings[0], n]
  }
}

const rmsprop = (momentum: number) => [
  ...settingsWith([0.125, 0.0625, 0, 1e-3, momentum], [0.125, 0.0625, 1e-3, 0, momentum]),
]

export const adaptiveCases = {
  amsgrad: () => steps([...adamSettings()].slice(0, 5), floats, squares, squares),
  rmsprop: () => steps(rmsprop(0), squares),
  rmspropMomentum: () => steps(rmsprop(0.75), squares, floats),
  rmspropCentered: () => steps(rmsprop(0), largeSquares, floats),
  rmspropCenteredMomentum: () => steps(rmsprop(0.75), largeSquares, floats, floats),
  adagrad: () => steps([...settingsWith([0.125, 0, 1e-3], [0.125, 0.25, 0])], squares),
  adadelta: () => steps([...settingsWith([0.5, 0.0625, 1e-3])], squares, squares),
  lion: () => steps([...settingsWith([0.125, 0.125, 0.0625])].map(withKeep), floats),
  lerp: function* (): Cases {
    for (const n of SIZES) for (const rate of [0, 0.0625, 1]) yield [floats(n), floats(n), rate, n]
  },
}

/** Its decay is no setting like the others'. */
const withKeep = (settings: Float32Array) =>
  Float32Array.of(...settings.subarray(0, 3), 0.875, ...settings.subarray(4))

type Terms = (i: number) => number

/** What the parts of a call's steps are made of, in absolute terms. */
function partsOf(call: Call) {
  const [w, dw, settings] = ['w', 'dw', 'settings'].map((name) => call.values(name))
  const [weightDecay, l2, l1] = Array.from(settings).slice(-3)
  const kept = (name: string, i: number) => Math.abs(call.values(name)[i])
  const g: Terms = (i) => Math.abs(dw[i]) + (weightDecay + 2 * l2) * Math.abs(w[i])
  /** Errors of a quotient grow with what its parts are made of, not with what they come to. */
  const quotient = (name: string, rate: number, epsilon: number) => (i: number) => {
    const v = kept(name, i) + g(i) ** 2
    const rest = (1 - rate) * kept(name, i)
    return (g(i) * (rest > 0 ? v / rest : 1)) / (Math.sqrt(rest > 0 ? rest : rate * v) + epsilon)
  }
  return { w, settings, l1, kept, g, quotient }
}

type Parts = ReturnType<typeof partsOf>

/** Of weights and squares alike; `step` is what lr is multiplied with, `others` are what is kept besides. */
function stepTolerance(
  step: (parts: Parts) => Terms,
  others: (parts: Parts, output: string) => Terms = () => () => 0,
): Tolerance {
  return {
    ulps: 8,
    magnitude: (call, output) => {
      const parts = partsOf(call)
      const { w, settings, l1, kept, g } = parts
      if (output === 'w') {
        const terms = step(parts)
        return (i) => Math.abs(w[i]) + settings[0] * (terms(i) + l1)
      }
      if (output === 'mean') return (i) => kept('mean', i) + g(i)
      if (['square', 'sum'].includes(output)) return (i) => kept(output, i) + g(i) ** 2
      return others(parts, output)
    },
  }
}

const rmspropQuotient = ({ settings, quotient }: Parts) =>
  quotient('square', settings[1], settings[2] + settings[3])

function withVelocity(parts: Parts): Terms {
  const step = rmspropQuotient(parts)
  return (i) => step(i) + parts.settings[4] * parts.kept('velocity', i)
}

function adadeltaStep({ settings, kept, quotient }: Parts): Terms {
  const [, rate, epsilon] = Array.from(settings)
  const step = quotient('square', rate, Math.sqrt(epsilon))
  return (i) => step(i) * Math.sqrt(kept('stepSquare', i) + epsilon)
}

export const adaptiveTolerances: Partial<Record<KernelName, Tolerance>> = {
  amsgrad: stepTolerance(
    ({ settings, g, kept, quotient }) => {
      const step = quotient('square', settings[4], settings[6])
      return (i) => step(i) * (1 + kept('mean', i) / (g(i) || 1))
    },
    ({ kept, g }) =>
      (i) =>
        kept('largest', i) + kept('square', i) + g(i) ** 2,
  ),
  rmsprop: stepTolerance(rmspropQuotient),
  rmspropMomentum: stepTolerance(withVelocity, withVelocity),
  rmspropCentered: stepTolerance(rmspropQuotient),
  rmspropCenteredMomentum: stepTolerance(withVelocity, withVelocity),
  adagrad: stepTolerance(({ settings, quotient }) => quotient('sum', 0, settings[2])),
  adadelta: stepTolerance(adadeltaStep, (parts) => {
    const step = adadeltaStep(parts)
    return (i) => parts.kept('stepSquare', i) + step(i) ** 2
  }),
  lion: stepTolerance(() => () => 1),
  lerp: {
    ulps: 2,
    magnitude: (call) => (i) => Math.abs(call.values('y')[i]) + Math.abs(call.values('x')[i]),
  },
}
