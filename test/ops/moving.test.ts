/**
 * What moves, indexes and sorts, against PyTorch (fixtures/moving.json; the script is beside it): results,
 * gradients, ties and NaN, on both backends.
 */
import { readFileSync } from 'node:fs'
import {
  cdist,
  type DType,
  einsum,
  fullLike,
  linspace,
  type Ordered,
  outer,
  type Tensor,
  tensor,
  where,
} from '../../lib/index.js'
import { onBothBackends } from '../support/reference.js'

interface Numbers {
  shape: number[]
  data: (number | string | boolean)[]
  dtype: DType
}
interface Row {
  inputs: Numbers[]
  outputs: Numbers[]
  seed?: Numbers
  grads?: (Numbers | null)[]
}
const rows: Record<string, Row> = JSON.parse(
  readFileSync(new URL('../fixtures/moving.json', import.meta.url), 'utf8'),
)

type Result = Tensor | Tensor[] | Ordered
// Operands have the dtypes of the fixture.
const calls: Record<string, (...x: any[]) => Result> = {
  'split 3': (x) => x.split(3, 1),
  'split list': (x) => x.split([1, 4, 2], -1),
  'split nothing': (x) => x.split(3),
  'chunk 4': (x) => x.chunk(4),
  'chunk 3': (x) => x.chunk(3, 1),
  'tile [2]': (x) => x.tile([2]),
  'tile [2, 1, 3]': (x) => x.tile([2, 1, 3]),
  'tile [0, 2]': (x) => x.tile([0, 2]),
  'repeat [2, 1, 2]': (x) => x.repeat([2, 1, 2]),
  repeatInterleave: (x) => x.repeatInterleave(2),
  'repeatInterleave 0': (x) => x.repeatInterleave(3, 0),
  'repeatInterleave -1': (x) => x.repeatInterleave(2, -1),
  'flip 0': (x) => x.flip(0),
  'flip [0, 2]': (x) => x.flip([0, 2]),
  'roll 1': (x) => x.roll(1),
  'roll [1, -2]': (x) => x.roll([1, -2], [0, 2]),
  'roll twice along one': (x) => x.roll([1, 1], [0, 0]),
  pad: (x) =>
    x.pad(
      [
        [0, 3],
        [1, 2],
      ],
      { value: 2.5 },
    ),
  'pad reflect': (x) =>
    x.pad(
      [
        [0, 0],
        [3, 2],
      ],
      { mode: 'reflect' },
    ),
  'pad reflect two': (x) =>
    x.pad(
      [
        [0, 0],
        [2, 1],
        [1, 2],
      ],
      { mode: 'reflect' },
    ),
  'pad replicate': (x) =>
    x.pad(
      [
        [0, 0],
        [1, 4],
        [5, 2],
      ],
      { mode: 'replicate' },
    ),
  tril: (x) => x.tril(),
  'triu 1': (x) => x.triu(1),
  'tril -1 of ints': (x) => x.tril(-1),
  'diag of a vector': (x) => x.diag(1),
  'diag of a matrix': (x) => x.diag(-1),
  diagonal: (x) => x.diagonal(1, 0, 2),
  'sort with NaN': (x) => x.sort(),
  'sort descending with NaN': (x) => x.sort(-1, true),
  'sort 0': (x) => x.sort(0),
  'sort of ints': (x) => x.sort(),
  topK: (x) => x.topK(2),
  'topK smallest': (x) => x.topK(3, 0, false),
  gather: (x, indices) => x.gather(1, indices),
  scatter: (x, indices, source) => x.scatter(0, indices, source),
  'scatter a number': (x, indices) => x.scatter(1, indices, 1.5),
  scatterAdd: (x, indices, source) => x.scatterAdd(0, indices, source),
  'scatter ints': (x, indices, source) => x.scatter(0, indices, source),
  take: (x, indices) => x.take(indices),
  indexSelect: (x, indices) => x.indexSelect(1, indices),
  indexAdd: (x, indices, source) => x.indexAdd(1, indices, source),
  indexCopy: (x, indices, source) => x.indexCopy(0, indices, source),
  indexFill: (x, indices) => x.indexFill(1, indices, -1),
  maskedFill: (x, mask) => x.maskedFill(mask, -Infinity),
  maskedSelect: (x, mask) => x.maskedSelect(mask),
  nonzero: (x) => x.nonzero(),
  'nonzero of a vector': (x) => x.nonzero(),
  where,
  'where of ints': where,
  cumsum: (x) => x.cumsum(-1),
  'cumsum with infinities': (x) => x.cumsum(0),
  cumprod: (x) => x.cumprod(1),
  'cumprod with zeros': (x) => x.cumprod(1),
  cdist,
  'cdist of equal rows': cdist,
  'cdist of batches': cdist,
  outer,
  linspace: () => linspace(-1, 2, 7),
  'linspace 1': () => linspace(3, 5, 1),
  flatten: (x) => x.flatten(0, 1),
  slice: (x) => x.slice([0, 3, 2], [1]),
}
for (const name of Object.keys(rows)) {
  const [, equation] = name.split('einsum ')
  if (equation !== undefined) calls[name] = (...x) => einsum(equation, ...x)
}

const make = ({ data, shape, dtype }: Numbers) =>
  tensor(
    data.map(
      (value) =>
        ({ nan: Number.NaN, inf: Infinity, '-inf': -Infinity })[`${value}`] ?? Number(value),
    ),
    shape,
    dtype,
  )

const listOf = (result: Result): Tensor[] =>
  'values' in result && 'indices' in result
    ? [result.values, result.indices as unknown as Tensor]
    : Array.isArray(result)
      ? result
      : [result as Tensor]

onBothBackends('as in PyTorch', (t) => {
  t.strictSame(Object.keys(calls).sort(), Object.keys(rows).sort(), 'every row is called')
  for (const [name, { inputs, outputs, seed, grads }] of Object.entries(rows)) {
    const same = (y: Tensor, expected: Numbers, what: string) => {
      const wanted = make(expected).data()
      t.strictSame([y.shape, y.dtype], [expected.shape, expected.dtype], `${name}: ${what}`)
      const scale = Math.max(
        1,
        ...Array.from(wanted as Float32Array, Math.abs).filter(Number.isFinite),
      )
      const differs = y.data().findIndex((value, i) => {
        const is = Object.is(value, wanted[i]) || value === wanted[i]
        return !is && !(Math.abs(value - wanted[i]) <= 3e-7 * scale)
      })
      if (differs >= 0) t.strictSame([...y.data()], [...wanted], `${name}: ${what}`)
    }
    const operands = inputs.map(make)
    for (const x of operands) if (x.dtype === 'float32') x.requiresGrad = true
    const results = listOf(calls[name](...operands))
    t.equal(results.length, outputs.length, name)
    for (const [i, y] of results.entries()) same(y, outputs[i], `result ${i}`)
    if (seed === undefined) continue
    results[0].backward(make(seed) as Tensor)
    for (const [i, x] of operands.entries()) {
      const expected = grads?.[i]
      if (expected) same(x.grad ?? fullLike(x as Tensor, 0), expected, `gradient ${i}`)
    }
  }
})
