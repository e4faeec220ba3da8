/** What moves and indexes: dtypes, empty tensors, captured functions, and what is refused. */
import t from 'tap'
import {
  ArgumentError,
  CaptureError,
  capture,
  cdist,
  type DType,
  einsum,
  KernelError,
  linspace,
  ones,
  outer,
  ReleasedTensorError,
  ShapeError,
  type Tensor,
  tensor,
  where,
  zeros,
} from '../../lib/index.js'
import { growth, onBothBackends, refuses, wrong } from '../support/reference.js'

const list = (...values: number[]) => tensor(Int32Array.from(values))
const matrix = (dtype: DType) => tensor([1, 0, 1, 1, 0, 0], [2, 3], dtype)
const mask = () => tensor([true, false, true])

/** What needs no arithmetic, of any dtype; only 0 and 1, which all of them hold. */
const moves: Record<string, (x: Tensor<any>) => Tensor<any>> = {
  slice: (x) => x.slice([undefined, undefined, -1], [0, 3, 2]),
  flip: (x) => x.flip(),
  roll: (x) => x.roll(1, 1),
  split: (x) => x.split([1, 2], 1)[1],
  chunk: (x) => x.chunk(2)[0],
  tile: (x) => x.tile([2, 2]),
  repeatInterleave: (x) => x.repeatInterleave(2, 1),
  broadcastTo: (x) => x.broadcastTo([2, 2, 3]),
  pad: (x) =>
    x.pad(
      [
        [1, 0],
        [0, 2],
      ],
      { value: 1 },
    ),
  reflect: (x) =>
    x.pad(
      [
        [0, 1],
        [2, 0],
      ],
      { mode: 'reflect' },
    ),
  tril: (x) => x.tril(),
  triu: (x) => x.triu(1),
  diagonal: (x) => x.diagonal(1),
  diag: (x) => x.flatten().diag(-1),
  gather: (x) => x.gather(1, list(2, 0, 1, 1).reshape([2, 2])),
  scatter: (x) => x.scatter(0, list(1, 0).reshape([1, 2]), x),
  take: (x) => x.take(list(5, 0, 3)),
  indexSelect: (x) => x.indexSelect(1, list(2, 2, 0)),
  indexCopy: (x) => x.indexCopy(0, list(1), x.slice([0, 1])),
  indexFill: (x) => x.indexFill(1, list(0, 2), 1),
  maskedFill: (x) => x.maskedFill(mask(), 1),
  maskedSelect: (x) => x.maskedSelect(mask()),
  nonzero: (x) => x.nonzero(),
  where: (x) => where(mask(), x, x.flip(0)),
  order: (x) => (x.dtype === 'int32' ? x.sort(0).values : x.cast('float32').sort(0).values),
}

onBothBackends('every dtype', (t) => {
  for (const [name, move] of Object.entries(moves)) {
    const expected = move(matrix('float32'))
    for (const dtype of ['float64', 'int32', 'uint8', 'bool'] as const) {
      const y = move(matrix(dtype))
      t.strictSame(
        [y.shape, [...y.data()]],
        [expected.shape, [...expected.data()]],
        `${name}, ${dtype}`,
      )
      if (name !== 'nonzero' && name !== 'order') t.equal(y.dtype, dtype, `${name}, ${dtype}`)
    }
  }
})

onBothBackends('nothing, and scalars', (t) => {
  const none = zeros([0, 3])
  const picks = tensor([], [0], 'int32')
  const shapes = {
    slice: none.slice([0, 0, -1], [2, undefined, -1]),
    flip: none.flip(),
    roll: none.roll([2, 1], [0, 1]),
    tile: none.tile([2, 2]),
    pad: none.pad([
      [1, 1],
      [0, 0],
    ]),
    tril: none.tril(),
    diag: zeros([0]).diag(2),
    gather: none.gather(0, picks.reshape([0, 1])),
    scatter: ones([2, 3]).scatter(0, picks.reshape([0, 3]), none),
    take: zeros([0]).take(picks),
    indexAdd: ones([2, 3]).indexAdd(1, picks, zeros([2, 0])),
    maskedSelect: none.maskedSelect(tensor(true)),
    nonzero: tensor(2).nonzero(),
    sort: none.sort(0).values,
    topK: ones([2, 3]).topK(0).indices,
    cumsum: none.cumsum(0),
    cumprod: zeros([2, 0]).cumprod(0),
    cdist: cdist(none, ones([2, 3])),
    outer: outer(zeros([0]), ones([2])),
    einsum: einsum('ij,ik->jk', none, none),
    scalar: tensor(1)
      .flip()
      .tile([2])
      .pad([[0, 0]]),
  }
  t.strictSame(
    Object.entries(shapes).map(([name, y]) => `${name} [${y.shape}]`),
    [
      'slice [0,3]',
      'flip [0,3]',
      'roll [0,3]',
      'tile [0,6]',
      'pad [2,3]',
      'tril [0,3]',
      'diag [2,2]',
      'gather [0,1]',
      'scatter [2,3]',
      'take [0]',
      'indexAdd [2,3]',
      'maskedSelect [0]',
      'nonzero [1,0]',
      'sort [0,3]',
      'topK [2,0]',
      'cumsum [0,3]',
      'cumprod [2,0]',
      'cdist [0,2]',
      'outer [0,2]',
      'einsum [3,3]',
      'scalar [2]',
    ],
  )
  t.strictSame([...shapes.einsum.data()], Array(9).fill(0), 'sums of nothing')
})

onBothBackends('captured functions do the same', (t) => {
  const x = tensor([3, 1, 2, 5, 4, 6], [2, 3])
  const picks = tensor([2, 0, 1, 1], [2, 2], 'int32')
  const step = (x: Tensor, picks: Tensor<'int32'>) => {
    const { values, indices } = x.sort(1, true)
    const parts = [
      values,
      indices.cast('float32') as Tensor,
      x.pad(
        [
          [1, 0],
          [1, 1],
        ],
        { mode: 'reflect' },
      ),
      x.scatterAdd(1, picks, x.gather(1, picks)),
      x.cumsum(0).cumprod(1).roll(1).triu(),
      where(x.greater(2).cast('bool'), x, x.flip()).maskedFill(x.less(2), -1),
      einsum('ij,kj->ik', x, x),
      cdist(x, x),
    ]
    return parts.map((part) => part.flatten())
  }
  const eager = step(x, picks).map((y) => [...y.data()])
  const captured = capture(step)
  for (let i = 0; i < 2; i++) {
    t.strictSame(
      captured(x, picks).map((y) => [...y.data()]),
      eager,
    )
  }
  captured.dispose()
  for (const [op, fn] of Object.entries({
    maskedSelect: (x: Tensor) => x.maskedSelect(x.greater(2)),
    nonzero: (x: Tensor) => x.nonzero().cast('float32') as Tensor,
  })) {
    const message = new RegExp(`^capture: ${op} has as many elements as values decide`)
    refuses(t, () => capture(fn)(x), CaptureError, message)
  }
})

onBothBackends('nothing is left over', (t) => {
  const x = ones([3, 3])
  const part = tensor([0, 1], [1, 2], 'int32')
  const source = ones([1, 2])
  const used = growth(() => {
    const { values, indices } = x.sort()
    for (const y of [x.slice([0, 2]), x.roll(1, 0), x.tril(), x.cumsum(0), values]) y.dispose()
    for (const y of [x.gather(0, part), x.scatterAdd(0, part, source), indices]) y.dispose()
    where(x.slice([0, 1]), x, x).dispose()
  })
  t.equal(used, 1, 'the condition alone')
})

onBothBackends('what is refused', (t) => {
  const x = ones([2, 3])
  const picks = list(0, 1)
  const refusals: [() => unknown, new (message: string) => Error, string][] = [
    [
      () => x.slice([0, 1, 0]),
      ArgumentError,
      'slice: expected integers and a step other than 0, got 0, 1, 0',
    ],
    [
      () => x.slice(wrong([0, 1, 1, 1])),
      ArgumentError,
      'slice: expected [start, end] or [start, end, step], got [0, 1, 1, 1]',
    ],
    [
      () => x.slice([0, 0.5]),
      ArgumentError,
      'slice: expected integers and a step other than 0, got 0, 0.5',
    ],
    [
      () => x.split([1, 1], 1),
      ShapeError,
      'split: expected lengths with the sum 3 of axis 1, got [1, 1] (2)',
    ],
    [
      () => x.split([4, -1], 1),
      ArgumentError,
      'split: expected a length, or a list of lengths, got [4, -1]',
    ],
    [() => x.split(0), ArgumentError, 'split: expected a length >= 1, got 0'],
    [() => x.chunk(0), ArgumentError, 'chunk: expected a count >= 1, got 0'],
    [
      () => x.tile(wrong(2)),
      ArgumentError,
      'tile: expected a count >= 0 for each axis, such as [2, 1], got 2',
    ],
    [
      () => x.tile([1, -1]),
      ArgumentError,
      'tile: expected a count >= 0 for each axis, such as [2, 1], got [1, -1]',
    ],
    [
      () => x.repeat([2]),
      ShapeError,
      'repeat: expected a count for each of the 2 axes, got [2]; tile takes less',
    ],
    [
      () => x.repeatInterleave(-1),
      ArgumentError,
      'repeatInterleave: expected a count >= 0, got -1',
    ],
    [() => x.flip([0, 0]), ShapeError, 'flip: expected different axes, got [0, 0]'],
    [() => x.roll([1, 2]), ArgumentError, 'roll: expected one shift without axes, got [1, 2]'],
    [
      () => x.roll([1, 2], 0),
      ArgumentError,
      'roll: expected a shift for each axis, got [1, 2] for 0',
    ],
    [() => x.roll(0.5), ArgumentError, 'roll: expected whole numbers to move by, got [0.5]'],
    [
      () => x.pad([[1, 1]]),
      ArgumentError,
      'pad: expected a pair [before, after] of numbers >= 0 for each of the 2 axes, got [[1, 1]]',
    ],
    [
      () =>
        x.pad([
          [0, 0],
          [-1, 0],
        ]),
      ArgumentError,
      'pad: expected a pair [before, after] of numbers >= 0 for each of the 2 axes, got [[0, 0], [-1, 0]]',
    ],
    [
      () =>
        x.pad(
          [
            [0, 0],
            [3, 0],
          ],
          { mode: 'reflect' },
        ),
      ShapeError,
      'pad: expected at most 2 elements to reflect on either side of an axis of 3, got [3, 0]',
    ],
    [
      () => zeros([0]).pad([[1, 0]], { mode: 'replicate' }),
      ShapeError,
      'pad: expected at most 0 elements to replicate on either side of an axis of 0, got [1, 0]',
    ],
    [
      () =>
        x.pad(
          [
            [0, 0],
            [1, 0],
          ],
          wrong({ mode: 'wrap' }),
        ),
      ArgumentError,
      "pad: expected constant, reflect or replicate, got 'wrap'",
    ],
    [
      () =>
        x.pad(
          [
            [0, 0],
            [1, 0],
          ],
          { mode: 'reflect', value: 1 },
        ),
      ArgumentError,
      'pad: reflect takes no value, got 1',
    ],
    [
      () =>
        x.pad(
          [
            [0, 0],
            [1, 0],
          ],
          wrong({ vale: 1 }),
        ),
      ArgumentError,
      'pad: unknown option vale; did you mean value?',
    ],
    [
      () => list(1).pad([[0, 1]], { value: 0.5 }),
      ArgumentError,
      'pad: expected elements of int32, got 0.5 at 0',
    ],
    [() => ones([3]).tril(), ShapeError, 'tril: expected at least 2 axes, got shape [3]'],
    [() => x.triu(0.5), ArgumentError, 'triu: expected diagonal to be a whole number, got 0.5'],
    [() => x.diagonal(0, 1, -1), ShapeError, 'diagonal: expected two different axes, got 1 and -1'],
    [() => tensor(1).diag(), ShapeError, 'diag: expected a vector or a matrix, got shape []'],
    [
      () => x.gather(0, picks),
      ShapeError,
      'gather: expected indices with the axes of [2, 3], none but axis 0 longer, got [2]',
    ],
    [
      () => x.gather(0, tensor([[0, 0, 0, 0]], [1, 4], 'int32')),
      ShapeError,
      'gather: expected indices with the axes of [2, 3], none but axis 0 longer, got [1, 4]',
    ],
    [
      () => x.gather(0, wrong(x)),
      ArgumentError,
      "gather: expected an int32 tensor, got float32; cast('int32') converts it",
    ],
    [
      () => x.gather(1, tensor([[3]], [1, 1], 'int32')),
      KernelError,
      'gather: indices[0]: expected an index from 0 to below 3, got 3',
    ],
    [
      () => x.indexSelect(1, list(-1)),
      KernelError,
      'gather: indices[0]: expected an index from 0 to below 3, got -1',
    ],
    [
      () => x.scatter(0, list(2, 0, 0).reshape([1, 3]), 0),
      KernelError,
      'scatter: indices[0]: expected an index from 0 to below 2, got 2',
    ],
    [
      () => x.scatter(0, list(1, 0, 0).reshape([1, 3]), ones([1, 2])),
      ShapeError,
      'scatter: expected a source that is nowhere smaller than its indices [1, 3], got [1, 2]',
    ],
    [
      () => x.scatterAdd(0, list(1).reshape([1, 1]), wrong(list(1))),
      ArgumentError,
      "scatterAdd: expected a float32 tensor, got int32; cast('float32') converts it",
    ],
    [
      () => wrong(mask()).scatterAdd(0, list(0), wrong(mask())),
      ArgumentError,
      "scatterAdd: expected a float32 tensor, got bool; cast('float32') converts it",
    ],
    [
      () => x.take(list(6)),
      KernelError,
      'gatherRows: indices[0]: expected an index from 0 to below 6, got 6',
    ],
    [
      () => x.indexAdd(0, picks, ones([3, 3])),
      ShapeError,
      'indexAdd: expected a source of shape [2, 3], got [3, 3]',
    ],
    [
      () => x.indexCopy(0, picks.reshape([2, 1]), x),
      ShapeError,
      'indexCopy: expected a list of indices, got shape [2, 1]',
    ],
    [
      () => list(1).indexFill(0, list(0), 2 ** 31),
      ArgumentError,
      'indexFill: expected elements of int32, got 2147483648 at 0',
    ],
    [() => x.indexFill(2, picks, 0), ShapeError, 'indexFill: expected an axis from -2 to 1, got 2'],
    [
      () => x.maskedFill(wrong(picks), 0),
      ArgumentError,
      "maskedFill: expected a bool tensor, got int32; cast('bool') converts it",
    ],
    [
      () => x.maskedFill(tensor([true, false]), 0),
      ShapeError,
      'where: shapes do not broadcast, got [2] and [2, 3]',
    ],
    [
      () => x.maskedSelect(tensor([true, false])),
      ShapeError,
      'maskedSelect: shapes do not broadcast, got [2, 3] and [2]',
    ],
    [
      () => x.maskedFill(mask(), wrong('0')),
      ArgumentError,
      "maskedFill: expected a number, got '0'",
    ],
    [
      () => where(wrong(picks), x, x),
      ArgumentError,
      "where: expected a bool tensor, got int32; cast('bool') converts it",
    ],
    [
      () => where(mask(), x, wrong(list(1))),
      ArgumentError,
      "where: expected a float32 tensor, got int32; cast('float32') converts it",
    ],
    [
      () => wrong(mask()).sort(),
      ArgumentError,
      "sort: expected a tensor of floats or of int32, got bool; cast('int32') converts it",
    ],
    [() => x.sort(2), ShapeError, 'sort: expected an axis from -2 to 1, got 2'],
    [
      () => x.sort(0, wrong(1)),
      ArgumentError,
      'sort: expected descending to be true or false, got 1',
    ],
    [() => x.topK(4), ArgumentError, 'topK: expected k from 0 to 3, got 4'],
    [
      () => wrong(mask()).cumsum(0),
      ArgumentError,
      "cumsum: expected a float32 tensor, got bool; cast('float32') converts it",
    ],
    [() => x.cumprod(-3), ShapeError, 'cumprod: expected an axis from -2 to 1, got -3'],
    [
      () => cdist(x, ones([3, 2])),
      ShapeError,
      'cdist: expected rows with as many features, [..., n, features] and [..., m, features], got [2, 3] and [3, 2]',
    ],
    [() => outer(x, ones([2])), ShapeError, 'outer: expected two vectors, got [2, 3] and [2]'],
    [() => linspace(0, 1, -1), ShapeError, 'linspace: expected a shape of integers >= 0, got [-1]'],
    [() => linspace(0, Infinity, 2), ArgumentError, 'linspace: expected end finite, got Infinity'],
    [
      () => einsum('...ij->ij', x),
      ArgumentError,
      "einsum: expected a letter for each axis, got '...ij->ij'; ... is not known",
    ],
    [
      () => einsum('ij;jk', x, x),
      ArgumentError,
      "einsum: expected an equation such as 'ij,jk->ik', got 'ij;jk'",
    ],
    [() => einsum('ij,jk', x), ArgumentError, "einsum: expected 2 operands for 'ij,jk', got 1"],
    [
      () => einsum('ij->ik', x),
      ArgumentError,
      "einsum: expected letters of operands, each once, behind ->, got 'k' in 'ij->ik'",
    ],
    [
      () => einsum('ij->ii', x),
      ArgumentError,
      "einsum: expected letters of operands, each once, behind ->, got 'i' in 'ij->ii'",
    ],
    [
      () => einsum('ijk->i', x),
      ShapeError,
      "einsum: expected 3 axes for 'ijk' in 'ijk->i', got [2, 3]",
    ],
    [
      () => einsum('ij,jk->ik', x, x),
      ShapeError,
      "einsum: expected axes of one extent for 'j' in 'ij,jk->ik', got 3 and 2",
    ],
    [
      () => einsum(wrong(7), x),
      ArgumentError,
      "einsum: expected an equation such as 'ij,jk->ik', got 7",
    ],
    [
      () => einsum('i->i', wrong(picks)),
      ArgumentError,
      "einsum: expected a float32 tensor, got int32; cast('float32') converts it",
    ],
  ]
  for (const [fn, errorClass, message] of refusals) refuses(t, fn, errorClass, message)
  const gone = ones([2, 3])
  gone.dispose()
  const calls = [
    () => einsum('ij->j', gone),
    () => cdist(gone, x),
    () => outer(gone.view([6]), ones([1])),
    () => where(gone, x, x),
    () => where(x, gone, x),
    () => x.maskedFill(gone, 0),
    () => x.maskedSelect(gone),
    () => x.scatterAdd(0, list(0).reshape([1, 1]), gone),
    () => x.indexCopy(0, picks, gone),
  ]
  for (const call of calls) refuses(t, call, ReleasedTensorError)
})

t.test('a result is a buffer of its own', async (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  const copies = [
    x.slice(),
    x.flip([]),
    x.tile([1, 1]),
    x.roll([], []),
    x.pad(
      [
        [0, 0],
        [0, 0],
      ],
      { mode: 'reflect' },
    ),
    einsum('ij->ij', x),
  ]
  for (const copy of copies) copy.assign([0, 0, 0, 0])
  t.strictSame(x.toArray(), [
    [1, 2],
    [3, 4],
  ])
})

// Values of numpy.cumsum(x, dtype=int32), numpy.cumprod and numpy.add.at.
onBothBackends('integers are added and multiplied along an axis as they are', (t) => {
  const x = list(2 ** 31 - 1, 3, -5, 65537)
  t.strictSame(x.cumsum(0).toArray(), [2147483647, -2147483646, 2147483645, -2147418114])
  t.strictSame(x.cumprod(0).toArray(), [2147483647, 2147483645, -2147483633, -2146500593])
  const y = list(7, 2 ** 31 - 1).scatterAdd(0, list(1, 0, 1), list(1, 16777217, 2))
  t.strictSame(y.toArray(), [16777224, -2147483646])
  t.strictSame(list(1, 2).indexAdd(0, list(0, 0), list(5, 16777217)).toArray(), [16777223, 2])
  for (const z of [x.cumsum(0), y]) t.equal(z.dtype, 'int32')
})
