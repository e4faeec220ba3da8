/** What L-BFGS remembers: the moves that were made, and what they did to the gradient. */
import { ArgumentError } from '../base/errors.js'
import { StateDict, type StateSource, stateFrom } from '../nn/stateDict.js'
import { fullLike } from '../tensor/allocate.js'
import { checkAssignable } from '../tensor/assignable.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'

/** A move that was made, and what it did to the gradient; flat vectors over all parameters. */
interface Pair {
  move: Tensor
  change: Tensor
  /** 1 / (move·change) */
  rho: number
}

export const dot = (a: Tensor, b: Tensor) => scope(() => a.mul(b).sum().item())
/** The largest absolute value. */
export const largest = (x: Tensor) => scope(() => x.abs().max().item())

/** What lives from step to step. */
function keep(make: () => Tensor): Tensor {
  const x = scope(make)
  x.storage.moveTo(null)
  return x
}
const pairOf = (move: Tensor, change: Tensor): Pair => ({
  move,
  change,
  rho: 1 / dot(change, move),
})

/** y + a·x in the place of y. */
function addScaled(y: Tensor, x: Tensor, a: number): void {
  scope(() => y.assign(y.add(x.mul(a))))
}

function free(pair: Pair | undefined): void {
  pair?.move.dispose()
  pair?.change.dispose()
}

/** The moves of one optimizer, as flat vectors over all its parameters. */
export class LBFGSHistory {
  /** The oldest first. */
  #pairs: Pair[] = []
  #lastGradient: Tensor | undefined
  #lastMove: Tensor | undefined

  get isEmpty(): boolean {
    return this.#lastGradient === undefined
  }

  /** Takes the last move into account, and gives the direction of the next. */
  directionFrom(gradient: Tensor, size: number): Tensor {
    const [lastGradient, lastMove] = [this.#lastGradient, this.#lastMove]
    if (lastGradient !== undefined && lastMove !== undefined) {
      const change = keep(() => gradient.sub(lastGradient))
      const pair = pairOf(
        keep(() => lastMove.clone()),
        change,
      )
      if (1 / pair.rho > 1e-10) {
        this.#pairs.push(pair)
        while (this.#pairs.length > size) free(this.#pairs.shift())
      } else free(pair)
    }
    lastGradient?.dispose()
    this.#lastGradient = keep(() => gradient.clone())
    const direction = gradient.neg()
    const shares = new Map<Pair, number>()
    for (const pair of this.#pairs.toReversed()) {
      const share = dot(pair.move, direction) * pair.rho
      shares.set(pair, share)
      addScaled(direction, pair.change, -share)
    }
    const last = this.#pairs.at(-1)
    if (last) {
      const scale = 1 / (last.rho * dot(last.change, last.change))
      scope(() => direction.assign(direction.mul(scale)))
    }
    for (const [pair, share] of [...shares].toReversed()) {
      addScaled(direction, pair.move, share - dot(pair.change, direction) * pair.rho)
    }
    return direction
  }

  /** Remembers the last move, t along a direction; how far it went in its largest element. */
  add(direction: Tensor, t: number): number {
    this.#lastMove?.dispose()
    this.#lastMove = keep(() => direction.mul(t))
    return largest(this.#lastMove)
  }

  forget(): void {
    for (const pair of this.#pairs) free(pair)
    this.#lastGradient?.dispose()
    this.#lastMove?.dispose()
    this.#pairs = []
    this.#lastGradient = undefined
    this.#lastMove = undefined
  }

  /** Copies of what `load` takes. */
  state(): StateDict {
    const tensors = new StateDict()
    const put = (name: string, x: Tensor | undefined) => {
      if (x) tensors.set(name, { shape: x.shape, data: x.data() as Float32Array })
    }
    for (const [i, { move, change }] of this.#pairs.entries()) {
      put(`move.${i}`, move)
      put(`change.${i}`, change)
    }
    put('lastMove', this.#lastMove)
    put('lastGradient', this.#lastGradient)
    return tensors
  }

  /**
   * Goes on from the state of another one. Nothing is changed when something does not fit.
   * @param like a vector as long as all parameters together
   */
  load(tensors: StateSource, like: Tensor): void {
    const values = stateFrom('loadStateDict', tensors)
    const count = [...values.keys()].filter((name) => name.startsWith('move.')).length
    const indices = Array.from({ length: count }, (_, i) => i)
    const lasts = values.has('lastGradient') ? ['lastMove', 'lastGradient'] : []
    const names = [...indices.flatMap((i) => [`move.${i}`, `change.${i}`]), ...lasts]
    const odd =
      names.find((name) => !values.has(name)) ?? [...values.keys()].find((n) => !names.includes(n))
    if (odd !== undefined) {
      const what = values.has(odd) ? 'got' : 'without'
      throw new ArgumentError(
        `loadStateDict: expected move, change, lastMove and lastGradient, ${what} ${odd}`,
      )
    }
    for (const name of names) checkAssignable('loadStateDict', name, like, values.get(name)!)
    const read = (name: string) => {
      const x = keep(() => fullLike(like, 0))
      x.assign(values.get(name)!.data)
      return x
    }
    this.forget()
    this.#pairs = indices.map((i) => pairOf(read(`move.${i}`), read(`change.${i}`)))
    if (lasts.length > 0) {
      this.#lastMove = read('lastMove')
      this.#lastGradient = read('lastGradient')
    }
  }
}
