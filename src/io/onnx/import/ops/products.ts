/** Products of matrices. */
import { einsum } from '../../../../ops/einsum.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import { Value } from '../value.js'

/** alpha·op(a)·op(b) + beta·c. */
function gemm(call: Call): Value {
  const { node } = call
  const [a, b, c] = [call.input(0), call.input(1), call.maybe(2)]
  const [alpha, beta] = [node.number('alpha', 1), node.number('beta', 1)]
  const transposes = { transA: node.flag('transA'), transB: node.flag('transB') }
  const product = times(a.device.matmul(b.device, transposes), alpha)
  return new Value('float', c === undefined ? product : product.add(times(c.device, beta)))
}

const times = (x: AnyTensor, factor: number): AnyTensor => (factor === 1 ? x : x.mul(factor))

/** A vector is a matrix of one row on the left, of one column on the right. */
function matmul(call: Call): Value {
  const [a, b] = [call.input(0).device, call.input(1).device]
  const left = a.shape.length === 1 ? a.unsqueeze(0) : a
  const right = b.shape.length === 1 ? b.unsqueeze(1) : b
  const y = left.matmul(right)
  const { length } = y.shape
  const added = [...(a === left ? [] : [length - 2]), ...(b === right ? [] : [length - 1])]
  return new Value('float', added.length > 0 ? y.squeeze(added) : y)
}

export const products: Operators = {
  Einsum: {
    attributes: ['equation'],
    weights: [0, 1],
    refuse: (node) => (node.text('equation', '').includes('...') ? 'equation with ...' : undefined),
    run: (call) => {
      const equation = call.node.text('equation').replaceAll(' ', '')
      return new Value('float', einsum(equation, ...call.all.map((value) => value.device)))
    },
  },
  Gemm: {
    attributes: ['alpha', 'beta', 'transA', 'transB'],
    weights: [0, 1, 2],
    run: gemm,
  },
  MatMul: { weights: [0, 1], run: matmul },
}
