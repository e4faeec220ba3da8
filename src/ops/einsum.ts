/**
 * Einstein's summation: diagonals, sums, and products of pairs of operands, from left to right.
 */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { format, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { matmul } from './matmul.js'
import { diagonal } from './moving.js'
import { requireFloats } from './require.js'

/** A tensor with a letter for each of its axes. */
interface Term {
  readonly x: Tensor
  readonly letters: string
}

/**
 * Sums of products of tensors whose axes have letters, as NumPy and PyTorch read them: axes of one
 * letter go together, a letter twice in one operand is its diagonal, and letters that are not in the
 * result are summed over. Without `->` the result has the letters that come once, in the order of the
 * alphabet, capitals first.
 * @param equation such as `'ij,jk->ik'`, with a comma between operands; `...` is not known
 * @throws ArgumentError for what is no such equation or a dtype that is not float, ShapeError when an
 * operand has other axes than letters, or axes of one letter differ in extent
 * @example einsum('ij,jk->ik', a, b) // the product of two matrices
 * @example einsum('ii->', a) // the trace
 * @example einsum('bi,bj->bij', x, y) // outer products, row by row
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor {
  const { inputs, output } = parse(equation, operands.length)
  for (const x of operands) requireFloats('einsum', operands[0], x)
  checkExtents(equation, inputs, operands)
  const terms = operands.map((x, i) => withoutRepeats({ x, letters: inputs[i] }))
  const product = terms.reduce((product, term, i) => {
    const later = terms.slice(i + 1).map(({ letters }) => letters)
    return multiply(product, term, [output, ...later].join(''))
  })
  const { x, letters } = summed(product, output)
  const order = [...output].map((letter) => letters.indexOf(letter))
  // The result is never an operand itself.
  return order.every((axis, i) => axis === i) && x !== operands[0] ? x : x.transpose(order)
}

/** The letters of each operand and of the result. */
function parse(equation: string, count: number): { inputs: string[]; output: string } {
  const plain = typeof equation === 'string' ? equation.replaceAll(' ', '') : ''
  if (plain.includes('.')) {
    throw new ArgumentError(
      `einsum: expected a letter for each axis, got '${equation}'; ... is not known`,
    )
  }
  if (!/^[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?$/.test(plain) || typeof equation !== 'string') {
    throw new ArgumentError(
      `einsum: expected an equation such as 'ij,jk->ik', got ${excerpt(equation)}`,
    )
  }
  const [left, right] = plain.split('->')
  const inputs = left.split(',')
  if (inputs.length !== count || count === 0) {
    throw new ArgumentError(
      `einsum: expected ${inputs.length} operands for '${equation}', got ${count}`,
    )
  }
  const letters = [...left.replaceAll(',', '')]
  const isOnce = (letter: string) => letters.indexOf(letter) === letters.lastIndexOf(letter)
  const output = right ?? letters.filter(isOnce).sort().join('')
  const wrong = [...output].find(
    (letter, i) => !left.includes(letter) || output.indexOf(letter) !== i,
  )
  if (wrong !== undefined) {
    throw new ArgumentError(
      `einsum: expected letters of operands, each once, behind ->, got '${wrong}' in '${equation}'`,
    )
  }
  return { inputs, output }
}

function checkExtents(
  equation: string,
  inputs: readonly string[],
  operands: readonly Tensor[],
): void {
  const extents = new Map<string, number>()
  for (const [i, { shape }] of operands.entries()) {
    if (shape.length !== inputs[i].length) {
      throw new ShapeError(
        `einsum: expected ${inputs[i].length} axes for '${inputs[i]}' in '${equation}', got ${format(shape)}`,
      )
    }
    for (const [axis, letter] of [...inputs[i]].entries()) {
      const extent = extents.get(letter) ?? shape[axis]
      extents.set(letter, extent)
      if (extent !== shape[axis]) {
        throw new ShapeError(
          `einsum: expected axes of one extent for '${letter}' in '${equation}', got ${extent} and ${shape[axis]}`,
        )
      }
    }
  }
}

/** Axes of one letter as their diagonal. */
function withoutRepeats({ x, letters }: Term): Term {
  const second = [...letters].findIndex((letter, i) => letters.indexOf(letter) !== i)
  if (second < 0) return { x, letters }
  const letter = letters[second]
  const first = letters.indexOf(letter)
  const others = [...letters].filter((_, i) => i !== first && i !== second)
  return withoutRepeats({ x: diagonal(x, 0, first, second), letters: others.join('') + letter })
}

/** Summed over the letters that are not kept. */
function summed({ x, letters }: Term, kept: string): Term {
  const axes = [...letters].flatMap((letter, axis) => (kept.includes(letter) ? [] : [axis]))
  if (axes.length === 0) return { x, letters }
  return {
    x: x.sum(axes),
    letters: [...letters].filter((letter) => kept.includes(letter)).join(''),
  }
}

/** The product of two operands, summed over what is in neither of the others nor in the result. */
function multiply(left: Term, right: Term, kept: string): Term {
  const a = summed(left, kept + right.letters)
  const b = summed(right, kept + a.letters)
  const shared = [...a.letters].filter((letter) => b.letters.includes(letter))
  const inner = shared.filter((letter) => !kept.includes(letter))
  const batch = shared.filter((letter) => kept.includes(letter))
  const rows = [...a.letters].filter((letter) => !shared.includes(letter))
  const cols = [...b.letters].filter((letter) => !shared.includes(letter))
  const product = matmul(grouped(a, batch, rows, inner), grouped(b, batch, inner, cols))
  return {
    x: product.reshape([...extentsOf(a, batch), ...extentsOf(a, rows), ...extentsOf(b, cols)]),
    letters: [...batch, ...rows, ...cols].join(''),
  }
}

function extentsOf({ x, letters }: Term, group: readonly string[]): number[] {
  return group.map((letter) => x.shape[letters.indexOf(letter)])
}

/** The axes in groups, each as a single one. */
function grouped(term: Term, ...groups: string[][]): Tensor {
  const order = groups.flat().map((letter) => term.letters.indexOf(letter))
  const isSame = order.every((axis, i) => axis === i)
  const x = isSame ? term.x : term.x.transpose(order)
  return x.reshape(groups.map((group) => sizeOf(extentsOf(term, group))))
}
