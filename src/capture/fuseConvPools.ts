/** Convolutions with bias, relu and a pool of 2 × 2, without the results that are pooled. */
import type { NamedArgs } from '../backend/kernels.js'
import {
  areStable,
  hasBetween,
  isInside,
  replaceSteps,
  type Users,
  usersOf,
} from '../backend/rewrite.js'
import {
  argumentsOf,
  call,
  calls,
  type Tape,
  type TapeBuffer,
  type TapeStep,
} from '../backend/tape.js'

type Pool = Omit<NamedArgs<'maxPool'>, 'x' | 'y' | 'places'>
type Convolution = Omit<NamedArgs<'conv'>, 'x' | 'w' | 'y'>

/** Steps by what is to stand in their place. */
type Replaced = Map<number, TapeStep | undefined>

interface Context {
  readonly tape: Tape
  readonly users: readonly Users[]
  readonly added: TapeBuffer[]
}

/**
 * Forward, and back where the results are needed for their gradient: all of it, or nothing. The bits stay
 * the same.
 */
export function fuseConvPools(tape: Tape): Tape {
  const context: Context = { tape, users: usersOf(tape), added: [] }
  const replaced: Replaced = new Map()
  for (const [at, step] of tape.steps.entries()) {
    if (!calls(step, 'maxPool')) continue
    for (const [place, instead] of fuseLayer(context, at, step) ?? []) replaced.set(place, instead)
  }
  return replaceSteps(tape, replaced, context.added)
}

/** The pool at step `at`, of a convolution that nobody else needs but its gradient. */
function fuseLayer(context: Context, at: number, step: TapeStep<'maxPool'>): Replaced | undefined {
  const { tape, users } = context
  const { x: activations, y, places, ...pool } = argumentsOf(step)
  const from = madeInside(context, activations)
  const convolution = from === undefined ? undefined : tape.steps[from]
  if (from === undefined || from > at || !calls(convolution, 'convBiasRelu')) return undefined
  const { x, w, bias, ...args } = argumentsOf(convolution)
  const operands = [x, w, bias]
  const fits = isPairwise(pool) && pools(pool, args)
  const isApart = ![y, places].some((result) => operands.includes(result))
  if (!fits || !isApart || !areStable(users, operands, from, at)) return undefined
  const layer = call('convBiasReluPool', { ...args, x, w, bias, y, places })
  const replaced: Replaced = new Map([
    [from, undefined],
    [at, layer],
  ])
  const others = users[activations].readers.filter((reader) => reader !== at)
  if (others.length === 0) return replaced
  if (others.length > 1 || others[0] < at) return undefined
  const back = fuseGradients(context, at, others[0])
  return back && new Map([...replaced, ...back])
}

/** The gradients of the pool at step `at`, of the relu and the bias at step `relu`, and of the convolution. */
function fuseGradients(context: Context, at: number, relu: number): Replaced | undefined {
  const { tape, users, added } = context
  const activation = tape.steps[relu]
  const forward = tape.steps[at]
  if (!calls(activation, 'biasReluGrad') || !calls(forward, 'maxPool')) return undefined
  const { x: activations, y, places, ...pool } = argumentsOf(forward)
  const { y: kept, dy: unpooled, dx: gradient, dbias, scratch: runs } = argumentsOf(activation)
  const from = madeInside(context, unpooled)
  const unpool = from === undefined ? undefined : tape.steps[from]
  if (from === undefined || from < at || !calls(unpool, 'maxPoolGrad')) return undefined
  const { dy, places: winners, dx: _, ...samePool } = argumentsOf(unpool)
  const isSame = kept === activations && winners === places && isEqual(pool, samePool)
  const isOnly = from < relu && users[unpooled].readers.every((reader) => reader === relu)
  if (!isSame || !isOnly || madeInside(context, gradient) !== relu) return undefined

  const replaced: Replaced = new Map([
    [from, undefined],
    [relu, undefined],
  ])
  const operands = [y, dy, places]
  let hasWeights = false
  for (const reader of users[gradient].readers) {
    const step = tape.steps[reader]
    const isStable =
      areStable(users, [y], at, reader) && areStable(users, [dy, places], from, reader)
    if (reader < relu || !isStable) return undefined
    if (calls(step, 'convInputGrad')) {
      const { dy: own, ...args } = argumentsOf(step)
      if (own !== gradient || !pools(pool, args) || !isPaddedWithin(args)) return undefined
      if (operands.includes(args.dx)) return undefined
      replaced.set(reader, call('convPoolInputGrad', { ...args, y, dy, places }))
    } else if (calls(step, 'convWeightGrad') && !hasWeights) {
      const { dy: own, scratch, ...args } = argumentsOf(step)
      const { readers, writers } = users[dbias]
      const isFree = !hasBetween([...readers, ...writers], relu, reader)
      if (own !== gradient || !pools(pool, args) || !isFree) return undefined
      if ([...operands, args.x].some((operand) => [args.dw, dbias].includes(operand))) {
        return undefined
      }
      const length = tape.buffers[scratch].length + tape.buffers[runs].length
      const both = tape.buffers.length + added.length
      added.push({ dtype: tape.buffers[gradient].dtype, length })
      const fused = { ...args, y, dy, places, dbias, scratch: both }
      replaced.set(reader, call('convPoolWeightGrad', fused))
      hasWeights = true
    } else {
      return undefined
    }
  }
  return hasWeights ? replaced : undefined
}

/** The one step that writes a buffer of the tape's own. */
function madeInside({ tape, users }: Context, buffer: number): number | undefined {
  const { writers } = users[buffer]
  return isInside(tape.buffers[buffer]) && writers.length === 1 ? writers[0] : undefined
}

/** Windows of 2 × 2 side by side, as many as fit. */
function isPairwise(pool: Pool): boolean {
  const { windowHeight, windowWidth, strideHeight, strideWidth, top, left } = pool
  const isPair = [windowHeight, windowWidth, strideHeight, strideWidth].every((n) => n === 2)
  const { height, width, outHeight, outWidth } = pool
  const fits = outHeight === Math.floor(height / 2) && outWidth === Math.floor(width / 2)
  return isPair && top === 0 && left === 0 && fits
}

/** Whether the pool is one of this convolution's results. */
function pools(pool: Pool, convolution: Convolution): boolean {
  const { batch, outHeight, outWidth, filters } = convolution
  const isImage = pool.batch === batch && pool.channels === filters
  return isImage && pool.height === outHeight && pool.width === outWidth
}

function isPaddedWithin(args: Convolution): boolean {
  const { kernelHeight, kernelWidth, dilationHeight, dilationWidth, padTop, padLeft } = args
  const isRow = padTop <= (kernelHeight - 1) * dilationHeight
  return isRow && padLeft <= (kernelWidth - 1) * dilationWidth
}

function isEqual(a: Pool, b: Pool): boolean {
  return (Object.keys(a) as (keyof Pool)[]).every((name) => a[name] === b[name])
}
