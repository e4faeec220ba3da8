/**
 * Layout: reshape, transpose, slice, concat, stack, indexSelect and broadcastTo against naive versions,
 * and what each refuses.
 */
import {
  ArgumentError,
  arange,
  concat,
  KernelError,
  ShapeError,
  stack,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import {
  at,
  build,
  ints,
  type Nd,
  onBothBackends,
  permute,
  refuses,
  same,
  sample,
  toTensor,
  wrong,
} from '../support/reference.js'

/** Every order of the numbers 0 .. n - 1. */
function orders(n: number): number[][] {
  if (n === 0) return [[]]
  return orders(n - 1).flatMap((order) =>
    Array.from({ length: n }, (_, place) => order.toSpliced(place, 0, n - 1)),
  )
}

onBothBackends('reshape', (t) => {
  const x = sample([2, 3, 4])
  for (const shape of [
    [24],
    [4, 6],
    [1, 24, 1],
    [3, 2, 2, 2],
    [-1],
    [6, -1],
    [-1, 24],
    [2, -1, 4],
  ]) {
    const known = shape.reduce((size, extent) => size * (extent < 0 ? 1 : extent), 1)
    const full = shape.map((extent) => (extent < 0 ? 24 / known : extent))
    same(t, toTensor(x).reshape(shape), { ...x, shape: full }, `[${shape}]`)
  }
  t.strictSame(tensor(5).reshape([1, 1]).toArray(), [[5]])
  t.equal(
    tensor([[5]])
      .reshape([])
      .toArray(),
    5,
  )
  t.strictSame(tensor([], [0, 3]).reshape([3, 0]).shape, [3, 0])
  t.strictSame(tensor([], [0, 3]).reshape([-1, 3]).shape, [0, 3])
  const message = (to: string) =>
    `reshape: expected a shape of 24 elements, got ${to} for [2, 3, 4]`
  refuses(t, () => toTensor(x).reshape([5]), ShapeError, message('[5]'))
  refuses(t, () => toTensor(x).reshape([-1, -1]), ShapeError, message('[-1, -1]'))
  refuses(t, () => toTensor(x).reshape([-1, 5]), ShapeError, message('[-1, 5]'))
  refuses(t, () => toTensor(x).reshape([-2, -12]), ShapeError, message('[-2, -12]'))
  refuses(t, () => toTensor(x).reshape([-1, 0]), ShapeError, message('[-1, 0]'))
  refuses(t, () => toTensor(x).reshape([1.5, 16]), ShapeError, message('[1.5, 16]'))
  refuses(t, () => toTensor(x).reshape(wrong(24)), ShapeError)
  refuses(t, () => toTensor(x).reshape(wrong(undefined)), ShapeError)
})

onBothBackends('transpose in every order', (t) => {
  for (const shape of [[], [5], [3, 4], [2, 3, 4], [2, 3, 1, 4], [2, 0, 3], [2, 3, 2, 2, 3]]) {
    const x = sample(shape)
    for (const axes of orders(shape.length)) {
      same(t, toTensor(x).transpose(axes), permute(x, axes), `[${shape}] by [${axes}]`)
    }
    const reversed = shape.map((_, axis) => shape.length - 1 - axis)
    same(t, toTensor(x).transpose(), permute(x, reversed), `[${shape}] reversed`)
  }
  const x = sample([17, 33])
  same(t, toTensor(x).transpose(), permute(x, [1, 0]), 'larger than a block')
  const y = sample([2, 3, 4])
  same(t, toTensor(y).transpose([-1, 0, -2]), permute(y, [2, 0, 1]), 'negative axes')
  const labels = ints([2, 3], [5, 6, 7, 8, 9])
  same(t, toTensor(labels).transpose(), permute(labels, [1, 0]), 'integers')
  refuses(t, () => toTensor(y).transpose([0, 1]), ShapeError, /^transpose: expected each of the 3/)
  refuses(t, () => toTensor(y).transpose([0, 1, 1]), ShapeError, /^transpose: expected different/)
  refuses(t, () => toTensor(y).transpose([0, 1, -2]), ShapeError)
  refuses(t, () => toTensor(y).transpose([0, 1, 3]), ShapeError, /^transpose: expected an axis/)
  refuses(t, () => toTensor(y).transpose([0, 1, 1.5]), ShapeError)
  refuses(t, () => toTensor(y).transpose(wrong(2)), ShapeError)
})

onBothBackends('slice', (t) => {
  const x = sample([4, 3, 5])
  const y = toTensor(x)
  const expected = (...ranges: [number, number][]): Nd =>
    build(
      ranges.map(([start, end]) => end - start),
      (index) =>
        at(
          x,
          index.map((i, axis) => i + ranges[axis][0]),
        ),
    )
  same(t, y.slice([1, 3]), expected([1, 3], [0, 3], [0, 5]), 'first axis')
  same(t, y.slice(undefined, [1, 2]), expected([0, 4], [1, 2], [0, 5]), 'middle axis')
  same(t, y.slice(undefined, undefined, [2]), expected([0, 4], [0, 3], [2, 5]), 'last axis')
  same(t, y.slice([1, 4], [0, 2], [3, 5]), expected([1, 4], [0, 2], [3, 5]), 'all axes')
  same(t, y.slice([-2]), expected([2, 4], [0, 3], [0, 5]), 'from the back')
  same(t, y.slice([0, -1], [-3, -1]), expected([0, 3], [0, 2], [0, 5]), 'up to the back')
  same(t, y.slice([-100, 100]), expected([0, 4], [0, 3], [0, 5]), 'cut to what there is')
  same(t, y.slice([2, 1]), expected([2, 2], [0, 3], [0, 5]), 'nothing')
  same(t, y.slice([9]), expected([4, 4], [0, 3], [0, 5]), 'past the end')
  same(t, y.slice(), x, 'everything')
  same(t, y.slice([undefined, 2]), expected([0, 2], [0, 3], [0, 5]), 'an open start')
  refuses(
    t,
    () => y.slice([0], [0], [0], [0]),
    ShapeError,
    'slice: expected at most 3 ranges, got 4',
  )
  refuses(
    t,
    () => y.slice([0.5]),
    ArgumentError,
    'slice: expected integers and a step other than 0, got 0.5',
  )
  refuses(t, () => y.slice([0, Number.NaN]), ArgumentError)
  refuses(
    t,
    () => y.slice(wrong(1)),
    ArgumentError,
    'slice: expected [start, end] or [start, end, step], got 1',
  )
  refuses(t, () => y.slice(wrong([0, 1, 2, 3])), ArgumentError)
  refuses(t, () => y.slice(wrong('01')), ArgumentError)
})

onBothBackends('concat and stack', (t) => {
  const shape = [2, 3, 2]
  for (const axis of [0, 1, 2, -1]) {
    const along = (axis + 3) % 3
    const parts = [1, 0, 4].map((extent, i) => sample(shape.with(along, extent), i))
    const expected = build(shape.with(along, 5), (index) => {
      const i = index[along]
      return i < 1 ? at(parts[0], index) : at(parts[2], index.with(along, i - 1))
    })
    same(t, concat(parts.map(toTensor), axis), expected, `concat along ${axis}`)
  }
  for (const axis of [0, 1, 2, 3, -1, -4]) {
    const along = (axis + 4) % 4
    const parts = [0, 1, 2].map((i) => sample(shape, i))
    const expected = build(shape.toSpliced(along, 0, 3), (index) =>
      at(parts[index[along]], index.toSpliced(along, 1)),
    )
    same(t, stack(parts.map(toTensor), axis), expected, `stack along ${axis}`)
  }
  const one = tensor([1, 2])
  t.strictSame(concat([one]).toArray(), [1, 2])
  t.strictSame(concat([one, one, one]).toArray(), [1, 2, 1, 2, 1, 2])
  t.strictSame(stack([tensor(1), tensor(2)]).toArray(), [1, 2])
  t.strictSame(stack([one, one], 1).toArray(), [
    [1, 1],
    [2, 2],
  ])
  const labels = tensor(Int32Array.of(1))
  for (const [name, join] of Object.entries({ concat, stack })) {
    const empty = `${name}: expected a list of at least one tensor, such as ${name}([x, y])`
    refuses(t, () => join([]), ArgumentError, empty)
    refuses(t, () => join(wrong(one)), ArgumentError, empty)
    refuses(
      t,
      () => join(wrong([one, 3])),
      ArgumentError,
      `${name}: expected a tensor, got 3; tensor(values) makes one of numbers`,
    )
    refuses(t, () => join(wrong([[1], one])), ArgumentError)
    refuses(t, () => join(wrong([tensor([1]), labels])), ArgumentError)
    refuses(t, () => join([one, tensor([[1, 2]])]), ShapeError)
    refuses(t, () => join([one], 5), ShapeError)
    refuses(t, () => join([one], 0.5), ShapeError)
  }
  refuses(t, () => concat([tensor(1)]), ShapeError, /the tensor is a scalar/)
  refuses(
    t,
    () => stack([one, tensor([1])]),
    ShapeError,
    /expected equal shapes, got \[2\] and \[1\]/,
  )
})

onBothBackends('gather', (t) => {
  const indices = [2, 0, 2, 3]
  const list = tensor(Int32Array.from(indices))
  for (const shape of [[4], [4, 3], [4, 2, 3], [4, 0]]) {
    const x = sample(shape)
    const expected = build([4, ...shape.slice(1)], ([i, ...rest]) => at(x, [indices[i], ...rest]))
    same(t, toTensor(x).indexSelect(0, list), expected, `rows of [${shape}]`)
  }
  t.strictSame(tensor([[1, 2]]).indexSelect(0, tensor(new Int32Array(0))).shape, [0, 2])
  for (const index of [-1, 2, 2 ** 31 - 1, -(2 ** 31)]) {
    refuses(t, () => tensor([1, 2]).indexSelect(0, tensor(Int32Array.of(0, index))), KernelError)
  }
  refuses(t, () => tensor([], [0, 2]).indexSelect(0, tensor(Int32Array.of(0))), KernelError)
  refuses(t, () => tensor(1).indexSelect(0, list), ShapeError)
  refuses(t, () => tensor([1]).indexSelect(0, list.reshape([2, 2])), ShapeError)
})

onBothBackends('broadcastTo', (t) => {
  for (const [from, to] of [
    [[], [2, 3]],
    [[1], [0]],
    [[3], [2, 3]],
    [
      [2, 1],
      [2, 3],
    ],
    [
      [2, 1, 3, 1],
      [4, 2, 5, 3, 2],
    ],
    [
      [2, 3],
      [2, 3],
    ],
  ]) {
    const x = sample(from)
    const y: Tensor = toTensor(x).broadcastTo(to)
    same(
      t,
      y,
      build(to, (index) => at(x, index)),
      `[${from}] to [${to}]`,
    )
  }
  const x = tensor([[1], [2]])
  const message = /^broadcastTo: expected a shape that \[2, 1\] can be repeated to/
  refuses(t, () => x.broadcastTo([3, 3]), ShapeError, message)
  refuses(t, () => x.broadcastTo([2]), ShapeError, message)
  refuses(t, () => x.broadcastTo([2, -1]), ShapeError)
  refuses(t, () => x.broadcastTo(wrong(2)), ShapeError)
  t.strictSame(
    tensor(Int32Array.of(1)).broadcastTo([2]).data(),
    Int32Array.of(1, 1),
    'of any dtype',
  )
})

onBothBackends('flatten, squeeze, unsqueeze, T and indexSelect have the shapes of PyTorch', (t) => {
  const x = arange(24).reshape([2, 1, 3, 4])
  t.strictSame(x.flatten().shape, [24])
  t.strictSame(x.flatten(1).shape, [2, 12])
  t.strictSame(x.flatten(1, 2).shape, [2, 3, 4])
  t.strictSame(x.flatten(-2).shape, [2, 1, 12])
  t.strictSame(tensor(1).flatten().shape, [1])
  refuses(t, () => x.flatten(2, 1), ShapeError)
  t.strictSame(x.squeeze().shape, [2, 3, 4])
  t.strictSame(x.squeeze(1).shape, [2, 3, 4])
  t.strictSame(x.squeeze([]).shape, [2, 1, 3, 4])
  refuses(t, () => x.squeeze(0), ShapeError)
  t.strictSame(x.unsqueeze(0).shape, [1, 2, 1, 3, 4])
  t.strictSame(x.unsqueeze(-1).shape, [2, 1, 3, 4, 1])
  refuses(t, () => x.unsqueeze(5), ShapeError)
  t.strictSame(x.T.shape, [4, 3, 1, 2])
  t.strictSame(tensor([[1, 2, 3]]).T.toArray(), [[1], [2], [3]])
  const columns = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]).indexSelect(1, tensor([2, 0, 2], [3], 'int32'))
  t.strictSame(columns.toArray(), [
    [3, 1, 3],
    [6, 4, 6],
  ])
  t.strictSame(x.indexSelect(-2, tensor([1], [1], 'int32')).toArray(), [
    [[[4, 5, 6, 7]]],
    [[[16, 17, 18, 19]]],
  ])
  // d/dx of a column that is taken twice is 2.
  const w = tensor([
    [1, 2],
    [3, 4],
  ])
  w.requiresGrad = true
  w.indexSelect(1, tensor([1, 1], [2], 'int32'))
    .sum()
    .backward()
  t.strictSame(w.grad?.toArray(), [
    [0, 2],
    [0, 2],
  ])
})
