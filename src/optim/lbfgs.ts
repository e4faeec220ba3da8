/** L-BFGS (Liu and Nocedal 1989), as PyTorch has it: for losses that are the same each time. */
import { isRecording } from '../backend/record.js'
import { checkFunction, checkNumber } from '../base/arguments.js'
import { ArgumentError, CaptureError, excerpt } from '../base/errors.js'
import { concat } from '../ops/layout.js'
import { fullLike, partOf } from '../tensor/allocate.js'
import { noGrad, withGrad } from '../tensor/graph.js'
import { scope } from '../tensor/scope.js'
import { format } from '../tensor/shape.js'
import { isTensor, type Tensor } from '../tensor/tensor.js'
import { atLeast0 } from './groups.js'
import { dot, LBFGSHistory, largest } from './lbfgsHistory.js'
import { type Group, type GroupSettings, Optimizer } from './optimizer.js'
import { isRegularized, regularizersOf } from './regularized.js'
import { type OptimizerState, readState } from './state.js'
import { type LinePoint, strongWolfe } from './strongWolfe.js'

/** Settings of `LBFGS`, with PyTorch's names and defaults. */
export interface LBFGSSettings extends GroupSettings {
  /** Length of each move, or its first guess where there is a line search. PyTorch's default is 1. */
  lr: GroupSettings['lr']
  /** Moves in one step at most, a whole number from 1; 20 by default. */
  maxIter?: number
  /** Evaluations of the loss in one step, after which there is no further move; 5/4 of maxIter by default. */
  maxEval?: number
  /** A step ends where no element of the gradient is larger; >= 0, 1e-7 by default. */
  toleranceGrad?: number
  /** A step ends where neither weights nor loss change by more; >= 0, 1e-9 by default. */
  toleranceChange?: number
  /** Moves that are remembered, a whole number from 1; 100 by default. Each takes twice the memory of the weights. */
  historySize?: number
  /** 'strongWolfe' looks for a good length of each move; 'none' by default. */
  lineSearch?: 'strongWolfe' | 'none'
}

/** The loss and its gradient at the weights as they are, with regularizers. */
interface Evaluation {
  loss: number
  gradient: Tensor
}

/** Moves that are remembered where nothing else is said. */
const HISTORY = 100

const isCount = (value: number) => Number.isInteger(value) && value >= 1
/**
 * L-BFGS (Liu and Nocedal 1989): each step makes several moves along directions that the last gradients tell,
 * and evaluates the loss as often. It needs a loss without chance, such as that of all examples at once, and
 * one group of parameters. Regularizers are part of what is minimized, l1 by its subgradient. Steps read the
 * loss, so that they cannot be captured, and `fit` does not take it.
 * @throws ArgumentError when a setting is out of range
 * @example
 * const optimizer = new LBFGS(model.parameters(), { lr: 1, lineSearch: 'strongWolfe' })
 * optimizer.step(() => {
 *   optimizer.zeroGrad()
 *   const loss = mse(model.forward(inputs), targets)
 *   loss.backward()
 *   return loss
 * })
 */
export class LBFGS extends Optimizer<LBFGSSettings> {
  readonly #history = new LBFGSHistory()
  #closure: (() => Tensor) | undefined
  #first: Evaluation | undefined
  /** What the closure gave first. */
  #loss = Number.NaN

  /**
   * L-BFGS over these parameters.
   * @throws ArgumentError as other optimizers, and for several groups
   */
  constructor(
    parameters:
      | readonly Tensor[]
      | readonly ({ parameters: readonly Tensor[] } & Partial<LBFGSSettings>)[],
    settings: LBFGSSettings,
  ) {
    super(parameters, settings)
    if (this.groups.length === 1) return
    throw new ArgumentError(`LBFGS: expected one group of parameters, got ${this.groups.length}`)
  }

  /** @internal */
  override get needsClosure(): boolean {
    return true
  }

  protected override knownSettings(): Record<keyof LBFGSSettings, true> {
    return {
      lr: true,
      maxIter: true,
      maxEval: true,
      toleranceGrad: true,
      toleranceChange: true,
      historySize: true,
      lineSearch: true,
      regularizer: true,
      maxNorm: true,
    }
  }

  protected override check(group: LBFGSSettings): void {
    super.check(group)
    const { maxIter = 20, maxEval = 1, historySize = HISTORY, lineSearch = 'none' } = group
    for (const [name, value] of Object.entries({ maxIter, maxEval, historySize })) {
      checkNumber('LBFGS', name, value, isCount, 'to be a whole number from 1')
    }
    const { toleranceGrad = 1e-7, toleranceChange = 1e-9 } = group
    for (const [name, value] of Object.entries({ toleranceGrad, toleranceChange })) {
      checkNumber('LBFGS', name, value, atLeast0, '>= 0')
    }
    // A move that is cut short would tell of a curvature that is not there.
    if (group.maxNorm !== undefined) {
      throw new ArgumentError(`LBFGS: expected no maxNorm, got ${excerpt(group.maxNorm)}`)
    }
    if (lineSearch === 'none' || lineSearch === 'strongWolfe') return
    throw new ArgumentError(
      `LBFGS: expected lineSearch strongWolfe or none, got ${excerpt(lineSearch)}`,
    )
  }

  /**
   * Moves the parameters several times.
   * @param closure forgets the gradients, computes the loss, calls `backward()` and returns the loss
   * @returns the loss before the step, without regularizers
   * @throws ArgumentError without a closure, and for one that returns no scalar, CaptureError in a captured
   *   function; else as for other optimizers
   */
  override step(closure?: () => Tensor): number {
    if (isRecording()) {
      throw new CaptureError(
        'capture: LBFGS reads the loss several times in a step, which replays could not repeat; call its step outside',
      )
    }
    checkFunction('LBFGS', 'step(closure) with a function that computes the loss anew', closure)
    this.#closure = closure
    try {
      super.step()
      return this.#loss
    } finally {
      this.#closure = undefined
      this.#first = undefined
    }
  }

  protected override prepare(group: Group<LBFGSSettings>): void {
    this.#first = this.#evaluate(group, (loss) => {
      this.#loss = loss
    })
  }

  protected override settings(group: LBFGSSettings): number[] {
    return [this.lrOf(group)]
  }

  protected override update(group: Group<LBFGSSettings>): void {
    const { maxIter = 20, toleranceGrad = 1e-7, toleranceChange = 1e-9 } = group
    const { maxEval = Math.floor(1.25 * maxIter) } = group
    let now = this.#first!
    let evaluations = 1
    if (largest(now.gradient) <= toleranceGrad) return
    for (let iteration = 1; iteration <= maxIter; iteration++) {
      const before = now
      const { isEmpty: isFirst } = this.#history
      const direction = this.#history.directionFrom(before.gradient, group.historySize ?? HISTORY)
      let t = this.lrOf(group)
      if (isFirst) t *= Math.min(1, 1 / scope(() => before.gradient.abs().sum().item()))
      const slope = dot(before.gradient, direction)
      const hasEnded = slope > -toleranceChange
      if (!hasEnded) {
        const isLast = iteration === maxIter
        const found = this.#move(
          group,
          direction,
          { ...before, t, slope },
          maxEval - evaluations,
          isLast,
        )
        t = found.t
        evaluations += found.evaluations
        now = found.now
      }
      const longest = this.#history.add(direction, t)
      direction.dispose()
      if (
        hasEnded ||
        evaluations >= maxEval ||
        largest(now.gradient) <= toleranceGrad ||
        longest <= toleranceChange ||
        Math.abs(now.loss - before.loss) < toleranceChange
      ) {
        return
      }
    }
  }

  /** Goes along a direction: by t, or as far as a line search says. */
  #move(
    group: Group<LBFGSSettings>,
    direction: Tensor,
    { t, slope, ...before }: LinePoint,
    most: number,
    isLast: boolean,
  ): { t: number; evaluations: number; now: Evaluation } {
    return scope(() => {
      const origin = group.parameters.map((w) => w.clone())
      const go = (t: number) => {
        let offset = 0
        for (const [i, w] of group.parameters.entries()) {
          const along = partOf(direction, offset, w.shape)
          scope(() => w.assign(origin[i].add(along.mul(t))))
          offset += w.size
        }
      }
      if (group.lineSearch !== 'strongWolfe') {
        go(t)
        // Nothing would come of it.
        if (isLast) return { t, evaluations: 0, now: before }
        return { t, evaluations: 1, now: this.#evaluate(group) }
      }
      let evaluations = 0
      const evaluate = (t: number): LinePoint => {
        evaluations++
        go(t)
        const { loss, gradient } = this.#evaluate(group)
        return { t, loss, gradient, slope: dot(gradient, direction) }
      }
      const { toleranceChange = 1e-9 } = group
      const search = { evaluate, length: largest(direction), toleranceChange, most }
      const found = strongWolfe({ ...before, t: 0, slope }, t, search)
      go(found.t)
      return { t: found.t, evaluations, now: { loss: found.loss, gradient: found.gradient } }
    })
  }

  /** The loss and the gradient at the weights as they are. */
  #evaluate(group: Group<LBFGSSettings>, tell = (_loss: number) => {}): Evaluation {
    return scope(() => {
      const closure = this.#closure!
      let loss = numberOf(withGrad(() => closure()))
      tell(loss)
      for (const regularizer of regularizersOf(group)) {
        for (const weight of group.parameters.filter(isRegularized)) {
          if (!weight.requiresGrad) continue
          const penalty = withGrad(() => regularizer.penalty(weight))
          penalty.backward()
          loss += penalty.item()
        }
      }
      const flat = group.parameters.map((w) => (w.grad ?? fullLike(w, 0)).view([w.size]))
      const gradient = noGrad(() => concat(flat))
      // Views of gradients are nobody's but ours.
      for (const view of flat) view.dispose()
      return { loss, gradient }
    })
  }

  /** Frees what is kept, such as the moves. It cannot be used again. */
  override dispose(): void {
    super.dispose()
    this.#history.forget()
  }

  /** As of other optimizers; the vectors in it are over all parameters together. */
  override stateDict(): OptimizerState {
    const { kind, steps } = super.stateDict()
    return { kind, steps, tensors: this.#history.state() }
  }

  /** As of other optimizers. */
  override loadStateDict(state: OptimizerState): void {
    super.stateDict() // refuses one that was disposed of
    const { steps, tensors } = readState('LBFGS', state)
    const size = this.parameters().reduce((sum, w) => sum + w.size, 0)
    scope(() => this.#history.load(tensors, fullLike(this.parameters()[0], 0, [size])))
    this.steps = steps
  }
}

function numberOf(loss: unknown): number {
  if (isTensor(loss) && loss.size === 1) return (loss as Tensor).item()
  const what = isTensor(loss) ? `a tensor of shape ${format(loss.shape)}` : excerpt(loss)
  throw new ArgumentError(`LBFGS: expected a closure that returns the loss, a scalar, got ${what}`)
}
