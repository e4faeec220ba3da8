/** What is told of a table that is trained on: what it is, and how well the model does on its test part. */
import {
  type BlockSource,
  type Classifier,
  type ColumnImportance,
  type Dataset,
  permutationImportance,
  type Regressor,
  type Sequential,
  subset,
  type TableSplit,
} from '../../index.js'
import { type LossName, rowsAt } from '../../internal.js'
import type { Problem } from './problem.js'

/** A table before the training. */
export interface TableOverview {
  readonly columns: number
  /** Features of each type. */
  readonly features: Readonly<Record<string, number>>
  /** Columns that are no feature. */
  readonly leftOut: number
  /** Columns of the model's inputs. */
  readonly embedded: number
  readonly split: TableSplit
  /** Share of each class among the training examples. */
  readonly shares?: Readonly<Record<string, number>>
}

/** How well one class is told from the others. */
export interface ClassFigures {
  readonly class: string
  /** Rows of the test part. */
  readonly support: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** The figures of the test part. */
export interface TableReport {
  /** Of a classifier. */
  readonly classes?: readonly ClassFigures[]
  /** A row for each true class, a column for each predicted one. */
  readonly confusion?: readonly (readonly number[])[]
  /** The class that is most frequent in training, and the accuracy of one who always says it. */
  readonly baseline?: { readonly class: string; readonly accuracy: number }
  /** The balanced accuracy or R² that is lost where a column is shuffled; the most important column first. */
  readonly importance: readonly ColumnImportance[]
}

/** Rows that importances are measured on, evenly from all: so many tell them to a percent. */
const MEASURED = 2000

export function overviewOf(problem: Problem): TableOverview {
  const { columns = [], encoding, split = { by: 'chance' }, sizes, classCounts, classes } = problem
  const features: Record<string, number> = {}
  for (const { use, type } of columns) {
    if (use === 'feature') features[type] = (features[type] ?? 0) + 1
  }
  const embedded = encoding?.features.filter((of) => of.type === 'category' && of.embedded) ?? []
  const shares = classes.map((name, label) => [name, classCounts[label] / sizes.train])
  return {
    columns: columns.length,
    features,
    leftOut: columns.filter(({ use }) => use === 'ignored').length,
    embedded: embedded.length,
    split,
    ...(classes.length > 0 && { shares: Object.fromEntries(shares) }),
  }
}

/** As scikit-learn's `compute_class_weight('balanced')`: examples ÷ (classes that occur · examples of the class). */
export function balancedWeights(counts: readonly number[]): number[] {
  const examples = counts.reduce((a, b) => a + b, 0)
  const occurring = counts.filter((count) => count > 0).length
  return counts.map((count) => (count === 0 ? 0 : examples / (occurring * count)))
}

/** @param confusion of the test part; none in a regression */
export async function reportOn(
  { test, sizes, classCounts, classes, encoding }: Problem,
  model: Sequential,
  loss: LossName,
  confusion: readonly (readonly number[])[] | undefined,
): Promise<TableReport> {
  const [inputs] = test.inputShape
  const saved = { model, inputs, encoding, loss, ...(confusion && { classes }) }
  const measured = await evenRows(test, sizes.test, MEASURED)
  const importance = await permutationImportance(saved as Classifier | Regressor, measured)
  if (confusion === undefined) return { importance }
  const usual = classCounts.indexOf(Math.max(...classCounts))
  const hits = confusion[usual].reduce((a, b) => a + b, 0)
  const baseline = { class: classes[usual], accuracy: hits / sizes.test }
  return { classes: classFigures(confusion, classes), confusion, baseline, importance }
}

/** So many rows at most, evenly from all. */
async function evenRows(data: Dataset | BlockSource, size: number, most: number): Promise<Dataset> {
  const step = Math.max(1, size / most)
  const rows = Int32Array.from({ length: Math.floor(size / step) }, (_, i) => Math.floor(i * step))
  return 'blocks' in data ? rowsAt('train', data, rows) : subset(data, [...rows])
}

function classFigures(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
): ClassFigures[] {
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  return classes.map((name, label) => {
    const hits = confusion[label][label]
    const support = confusion[label].reduce((a, b) => a + b, 0)
    const predicted = confusion.reduce((sum, row) => sum + row[label], 0)
    return {
      class: name,
      support,
      precision: share(hits, predicted),
      recall: share(hits, support),
      f1: share(2 * hits, predicted + support),
    }
  })
}
