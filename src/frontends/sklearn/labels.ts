/** Labels as users of scikit-learn give them. */
import { ArgumentError, ShapeError, type Tensor } from '../../index.js'
import { excerpt, isList, isTensor, readTypedArray } from '../../internal.js'

/** What a class is called: whole numbers, strings or booleans, all labels of one data set alike. */
export type Label = string | number | boolean
/** @inline */
export type Labels<L> = readonly L[] | ArrayLike<L> | ArrayLike<ArrayLike<L>> | Tensor<'int32'>

/**
 * The labels one by one, also of a column [examples, 1].
 * @throws ArgumentError for what are no labels, ShapeError for a tensor of another shape
 */
export function readLabels<L extends Label>(
  y: Labels<L>,
): { labels: readonly L[]; isColumn: boolean } {
  const typed = isTensor(y) ? y.data() : readTypedArray('MLPClassifier: y', y)?.values
  const items = Array.from((typed ?? y) as ArrayLike<unknown>)
  const [, width, ...more] = isTensor(y) ? y.shape : []
  if (isTensor(y) && ((width ?? 1) !== 1 || more.length > 0)) {
    throw new ShapeError(`MLPClassifier: expected labels [examples], got [${y.shape.join(', ')}]`)
  }
  const isNested = items.length > 0 && items.every((item) => isList(item) && item.length === 1)
  const labels = isNested ? items.map((item) => (item as ArrayLike<L>)[0]) : (items as L[])
  const wrong = labels.findIndex((label) => typeof label !== typeof labels[0] || !isLabel(label))
  if (wrong < 0) return { labels, isColumn: isNested || width === 1 }
  const hint = typeof labels[wrong] === 'number' ? '; values are for MLPRegressor' : ''
  throw new ArgumentError(
    `MLPClassifier: expected labels that are all strings, whole numbers or booleans, got ${excerpt(labels[wrong])} at ${wrong}${hint}`,
  )
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isInteger(value)
}
