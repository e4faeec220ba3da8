/**
 * What the tests of capture, replay and threads share: small trainings that can be repeated, and
 * comparisons to the bit.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { loadAddon } from '../../lib/backend/native/addon.js'
import {
  type BackendName,
  type Captured,
  Generator,
  type Module,
  memory,
  mlp,
  type Optimizer,
  scope,
  setBackend,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { inARow } from './tolerance.js'

type Step = (x: Tensor, labels: Tensor<'int32'>) => Tensor
export type TrainingStep = Captured<[x: Tensor, labels: Tensor<'int32'>], Tensor>

/** Like onBothBackends, for tests that wait. */
export function onBothBackendsLater(
  name: string,
  fn: (t: Test, backend: BackendName) => Promise<void>,
): void {
  for (const backend of ['js', 'native'] as const) {
    t.test(`${name} (${backend})`, async (t) => {
      setBackend(backend)
      await fn(t, backend)
    })
  }
}

/** The elements' bits, which tell -0 from 0 and hold NaN. */
export const bits = (x: Tensor): Uint32Array => new Uint32Array(x.data().buffer)

export const network = (units: number[], seed = 1, activation?: 'relu' | 'sigmoid' | 'tanh') =>
  mlp(units, { generator: new Generator(seed), activation })

/** Inputs [batch, width] and labels below `classes`, the same for the same seed. */
export function batch(
  seed: number,
  [size, width, classes]: readonly [number, number, number],
): [Tensor, Tensor<'int32'>] {
  const generator = new Generator(seed)
  const x = generator.normal([size, width])
  const picks = generator.uniform([size], 0, classes).data()
  return [x, tensor(Int32Array.from(picks))]
}

/** The usual training step; `forward` stands for the model's own. */
export function stepOf(model: Module, optimizer: Optimizer, forward = (x: Tensor) => x): Step {
  return (x, labels) => {
    const risk = softmaxCrossEntropy(model.forward(forward(x)), labels)
    risk.backward()
    optimizer.step()
    optimizer.zeroGrad()
    return risk
  }
}

/** A step run op by op; its risk. */
export const eagerly = (step: Step, x: Tensor, labels: Tensor<'int32'>): number =>
  scope(() => step(x, labels).item())

/** The parameters of both models are the same bits. */
export function sameParameters(t: Test, found: Module, wanted: Module, message: string): void {
  const expected = wanted.namedParameters()
  for (const [path, parameter] of found.namedParameters()) {
    identical(t, parameter.data(), expected.get(path)!.data(), `${message}: ${path}`)
  }
}

/**
 * Whether an element of a product is the same bits wherever it lies and whoever computes it. Not where
 * OpenBLAS does.
 */
export const hasOneOrder = (backend: BackendName): boolean =>
  backend === 'js' || loadAddon().info().gemm === 'own'

/**
 * How far float32 numbers of about 1 may be apart after so many steps, where each adds a sum of so
 * many products, rounded in another order: a captured step fuses what runs op by op in two kernels.
 */
export const rounding = (terms: number, steps = 1): number => steps * inARow(terms) * 2 ** -23

/** The parameters of both models are the same but for this tolerance. */
export function nearParameters(
  t: Test,
  found: Module,
  wanted: Module,
  tolerance: number,
  message: string,
): void {
  const expected = wanted.namedParameters()
  for (const [path, parameter] of found.namedParameters()) {
    close(t, parameter.data(), expected.get(path)!.data(), tolerance, `${message}: ${path}`)
  }
}

/**
 * Two lists hold the same numbers: -0 is not 0, NaN is NaN. For what is long, because tap takes
 * minutes to write down how two large arrays differ.
 */
export function identical(
  t: Test,
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  message: string,
): void {
  const differing: number[] = []
  for (let i = 0; i < Math.max(found.length, wanted.length); i++) {
    if (!Object.is(found[i], wanted[i])) differing.push(i)
  }
  const [first] = differing
  const place = `the first at ${first}: ${found[first]}, expected ${wanted[first]}`
  const difference = `${differing.length} of ${wanted.length} differ, ${place}`
  t.equal(differing.length, 0, differing.length > 0 ? `${message}: ${difference}` : message)
}

/** Every number of two lists agrees to a tolerance relative to max(1, |wanted|). */
export function close(
  t: Test,
  found: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  message: string,
): void {
  let worst = found.length === wanted.length ? 0 : Infinity
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs(found[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i])))
  }
  t.ok(worst <= tolerance, `${message}: differs by ${worst}`)
}

/** The promise fails with this class of error, with this message or one that matches. */
export async function rejects(
  t: Test,
  promise: Promise<unknown>,
  errorClass: new (...args: any[]) => Error,
  message: string | RegExp,
): Promise<void> {
  try {
    await promise
  } catch (error) {
    t.ok(error instanceof errorClass, `${(error as Error).name}: ${(error as Error).message}`)
    if (typeof message === 'string') t.equal((error as Error).message, message)
    else t.match((error as Error).message, message)
    return
  }
  t.fail(`expected ${errorClass.name}, nothing was thrown`)
}

/** The warnings of the library while fn runs. */
export async function warningsOf(fn: () => Promise<unknown>): Promise<string[]> {
  const messages: string[] = []
  const listen = (warning: Error) => {
    if (warning.name === 'NeuroblasWarning') messages.push(warning.message)
  }
  process.on('warning', listen)
  await fn()
  // Warnings are told in the next turn.
  await new Promise((resolve) => setTimeout(resolve))
  process.off('warning', listen)
  return messages
}

const gc = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

/**
 * Memory in use after what nobody refers to has been collected. Where a test waits, what earlier ones
 * left may be collected meanwhile: it measures from here on.
 */
export async function settledMemory(): Promise<[live: number, buffers: number]> {
  for (let i = 0; i < 20; i++) {
    gc()
    await turn()
  }
  return [memory().live, memory().buffers]
}
