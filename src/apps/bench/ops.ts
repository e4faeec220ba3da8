/** Cases E1 and B1: what one eager op costs beside its arithmetic, and products of a batch of matrices. */
import { Generator, scope, type Tensor, tensor } from '../../index.js'
import type { OpCase, ProductCase } from './cases.js'
import { type TimedRun, timed } from './measure.js'
import { SEED } from './protocol.js'

/** Ops in one scope, about as many as a training step has. */
const OPS = 32

function chain(a: Tensor, b: Tensor): Tensor {
  let y = a
  for (let i = 0; i < OPS; i++) y = y.add(b)
  return y
}

/** Each step is one op: an addition, and in its share the scope and the way back. */
export function opSteps({ gradient }: OpCase): TimedRun {
  const a = tensor([1, 2, 3, 4])
  const b = tensor([0, 0, 0, 0])
  const seed = tensor([1, 1, 1, 1])
  a.requiresGrad = gradient !== 'none'
  const step = () => {
    const y = chain(a, b)
    if (gradient === 'computed') y.backward(seed)
  }
  return (steps) => {
    const begin = performance.now()
    for (let done = 0; done < steps; done += OPS) {
      scope(step)
      if (a.grad) {
        a.grad.dispose()
        a.grad = null
      }
    }
    const rounded = Math.ceil(steps / OPS) * OPS
    return ((performance.now() - begin) / 1000) * (steps / rounded)
  }
}

/** Each step is one op, whose result is freed. */
export function batchedProduct({ batch, m, k, n }: ProductCase): TimedRun {
  const generator = new Generator(SEED)
  const a = generator.normal([batch, m, k])
  const b = generator.normal([batch, k, n])
  return timed(() => a.matmul(b).dispose())
}
