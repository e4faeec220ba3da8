/** Comparisons, logic, and what is chosen by it. */

import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Handle } from '../../../internal.js'
import type { NeuroblasBackend } from '../backend.js'
import { ALL, type BinaryKernel, binary, expand } from '../broadcast.js'
import { isNumeric } from '../entry.js'
import { floatsOf, type Rule, type Rules, rule, type Tensors } from '../rule.js'
import { type Shape, sameShape, sizeOf } from '../shape.js'

/** The truth of 1 and 0 in float32, which are released. */
function truth(backend: NeuroblasBackend, floats: Handle, shape: Shape): TensorInfo {
  const { device } = backend
  const size = sizeOf(shape)
  const y = device.alloc(size, 'bool')
  device.run('cast', floats, y, size)
  device.release(floats)
  return backend.tensorOf(y, shape, 'bool')
}

/** Of two tensors of one dtype, in which they are compared. */
function comparison(kernel: BinaryKernel): Rule {
  return rule<Tensors<'a' | 'b'>, undefined>((backend, { a, b }) => {
    const { dtype } = a
    if (!isNumeric(dtype) || b.dtype !== dtype) return undefined
    const left = { handle: backend.handleOf(a), shape: a.shape }
    const right = { handle: backend.handleOf(b), shape: b.shape }
    const { handle, shape } = binary(backend, kernel, left, right, dtype, 'float32')
    return truth(backend, handle, shape)
  })
}

function logical(kernel: 'logicalAnd' | 'logicalOr'): Rule {
  return rule<Tensors<'a' | 'b'>, undefined>((backend, { a, b }) => {
    if (a.dtype !== 'bool' || b.dtype !== 'bool') return undefined
    const left = { handle: backend.handleOf(a), shape: a.shape }
    const right = { handle: backend.handleOf(b), shape: b.shape }
    const { handle, shape } = binary(backend, kernel, left, right, 'bool')
    return backend.tensorOf(handle, shape, 'bool')
  })
}

const logicalNot = rule<Tensors<'x'>, undefined>((backend, { x }) => {
  if (x.dtype !== 'bool') return undefined
  const size = sizeOf(x.shape)
  const y = backend.device.alloc(size, 'bool')
  backend.device.run('logicalNot', backend.handleOf(x), y, size)
  return backend.tensorOf(y, x.shape, 'bool')
})

function test(kernel: 'isNaN' | 'isFinite'): Rule {
  return rule<Tensors<'x'>, undefined>((backend, { x }) => {
    const from = floatsOf(backend, x)
    if (from === 0) return undefined
    const size = sizeOf(x.shape)
    const y = backend.device.alloc(size, 'float32')
    backend.device.run(kernel, from, y, size)
    return truth(backend, y, x.shape)
  })
}

const isInf = rule<Tensors<'x'>, undefined>((backend, { x }) => {
  const from = floatsOf(backend, x)
  if (from === 0) return undefined
  const { device } = backend
  const size = sizeOf(x.shape)
  const infinity = device.alloc(1, 'float32')
  device.run('fill', infinity, 1, Number.POSITIVE_INFINITY)
  const y = device.alloc(size, 'float32')
  device.run('abs', from, y, size)
  device.run('equal', y, infinity, y, 1, 1, size, ALL, 0)
  device.release(infinity)
  return truth(backend, y, x.shape)
})

/** The condition has the shape of t and e, or says of each of their first axis. */
const select = rule<Tensors<'condition' | 't' | 'e'>, undefined>((backend, { condition, t, e }) => {
  const { dtype } = t
  if (!isNumeric(dtype) || e.dtype !== dtype || condition.dtype !== 'bool') return undefined
  const { device } = backend
  const size = sizeOf(t.shape)
  const given = backend.handleOf(condition)
  const isWhole = sameShape(condition.shape, t.shape)
  const rows = [condition.shape[0] ?? 1, ...t.shape.slice(1).fill(1)]
  const chosen = isWhole ? given : expand(backend, given, rows, t.shape, 'bool')
  const y = device.alloc(size, dtype)
  device.run('select', chosen, backend.handleOf(t), backend.handleOf(e), y, size)
  if (!isWhole) device.release(chosen)
  return backend.tensorOf(y, t.shape, dtype)
})

export const compare: Rules = {
  Equal: comparison('equal'),
  NotEqual: comparison('notEqual'),
  Less: comparison('less'),
  LessEqual: comparison('lessEqual'),
  Greater: comparison('greater'),
  GreaterEqual: comparison('greaterEqual'),
  LogicalAnd: logical('logicalAnd'),
  LogicalOr: logical('logicalOr'),
  LogicalNot: logicalNot,
  IsNan: test('isNaN'),
  IsFinite: test('isFinite'),
  IsInf: isInf,
  Select: select,
}
