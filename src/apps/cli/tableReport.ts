/** What is told of a table that is trained on: what it is, and how well the model does on its test part. */
import {
  type Classifier,
  type ColumnImportance,
  ConfusionMatrix,
  type Dataset,
  permutationImportance,
  type Regressor,
  type Sequential,
  subset,
  type TableSplit,
} from '../../index.js'
import { classify, type LossName } from '../../internal.js'
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
  const { columns = [], encoding, split = { by: 'chance' }, train, classes } = problem
  const features: Record<string, number> = {}
  for (const { use, type } of columns) {
    if (use === 'feature') features[type] = (features[type] ?? 0) + 1
  }
  const embedded = encoding?.features.filter((of) => of.type === 'category' && of.embedded) ?? []
  const counts = countsOf(train)
  const shares = classes.map((name, label) => [name, counts[label] / train.size])
  return {
    columns: columns.length,
    features,
    leftOut: columns.filter(({ use }) => use === 'ignored').length,
    embedded: embedded.length,
    split,
    ...(classes.length > 0 && { shares: Object.fromEntries(shares) }),
  }
}

function countsOf({ targets, classes }: Dataset): number[] {
  const counts = new Array<number>(classes.length).fill(0)
  for (const label of targets) counts[label]++
  return counts
}

/** As scikit-learn's `compute_class_weight('balanced')`: examples ÷ (classes that occur · examples of the class). */
export function balancedWeights(train: Dataset): number[] {
  const counts = countsOf(train)
  const occurring = counts.filter((count) => count > 0).length
  return counts.map((count) => (count === 0 ? 0 : train.size / (occurring * count)))
}

export async function reportOn(
  { test, train, classes, encoding }: Problem,
  model: Sequential,
  loss: LossName,
): Promise<TableReport> {
  const saved = {
    model,
    inputs: test.inputShape[0],
    encoding,
    loss,
    ...(classes.length > 0 && { classes }),
  }
  const step = Math.max(1, test.size / MEASURED)
  const rows = Array.from({ length: Math.floor(test.size / step) }, (_, i) => Math.floor(i * step))
  const measured = subset(test, rows)
  const importance = await permutationImportance(saved as Classifier | Regressor, measured)
  if (classes.length === 0) return { importance }
  const { labels } = classify(saved as Classifier, test.inputs, { mean: [0], scale: [1] })
  const counts = countsOf(train)
  const usual = counts.indexOf(Math.max(...counts))
  const hits = test.targets.filter((label) => label === usual).length
  const baseline = { class: classes[usual], accuracy: hits / test.size }
  return { ...classFigures(labels, test), baseline, importance }
}

function classFigures(
  labels: Int32Array,
  { targets, classes }: Dataset,
): Pick<TableReport, 'classes' | 'confusion'> {
  const matrix = new ConfusionMatrix({ classes: classes.length })
  matrix.update(labels, targets)
  const confusion = matrix.compute()
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
  const figures = classes.map((name, label) => {
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
  return { classes: figures, confusion }
}
