/** How a table that is trained on, and the figures of its test part, look in the terminal: 80 columns at most. */
import type { EpochReport } from '../../index.js'
import { count, epochTitle, figure, metricTexts, percent } from '../../internal.js'
import type { StartEvent } from './events.js'
import { table } from './table.js'
import type { ClassFigures, TableOverview, TableReport } from './tableReport.js'

/** The last column, by itself. */
const WIDTH = 79
/** So many classes have figures; where there is room, the confusion matrix stands beside them. */
const LISTED = 12
/** So many columns are ranked, by bars of so many characters. */
const [RANKED, BAR] = [8, 24]

/** The rows that say what is trained on, and how. */
export function tableRows(e: StartEvent, overview: TableOverview): string[][] {
  const all = e.trainExamples + e.validationExamples + e.testExamples
  const { split } = overview
  const by = {
    chance: '',
    class: ', by class',
    group: `, by ${split.column}`,
    time: `, the latest by ${split.column}`,
    hash: split.column === undefined ? '' : `, by ${split.column}`,
  }
  const parts = `${count(e.trainExamples)} to train on, ${count(e.validationExamples)} to validate, ${count(e.testExamples)} to test${by[split.by]}`
  const weights = e.classWeights === 'balanced' ? ', weighted to be even' : ''
  const until = e.patience === undefined ? '' : `, until ${e.patience} are no better`
  const settings = [
    `lr ${e.lr} falling to 0`,
    ...(e.optimizer === 'sgd' ? [`momentum ${e.momentum}`] : []),
    ...(e.l1 > 0 ? [`l1 ${e.l1}`] : []),
    ...(e.l2 > 0 ? [`l2 ${e.l2}`] : []),
    `seed ${e.seed}`,
  ]
  const hidden = [e.activation, ...(e.dropout > 0 ? [`dropout ${e.dropout}`] : [])].join(', ')
  return [
    ['data', `${e.dataset}: ${count(all)} rows, ${overview.columns} columns`],
    ['', parts],
    ['target', `${e.target}, to ${e.task}${sharesText(overview.shares)}${weights}`],
    ['features', featuresText(overview)],
    ['network', `${e.layers.join('-')}, ${hidden}: ${count(e.parameters)} parameters`],
    ['training', `${e.loss} by ${e.optimizer}, ${settings.join(', ')}`],
    ['', `${e.epochs} epochs${until}, batches of ${e.batchSize}; ${backendText(e)}`],
  ].map(([name, text]) => [name, shortened(text, WIDTH - 10)])
}

function backendText({ backend, threads }: StartEvent): string {
  const name = backend === 'js' ? 'pure JavaScript' : backend
  return `${name}, ${threads === 1 ? '1 thread' : `${threads} threads`}`
}

function sharesText(shares: TableOverview['shares'] = {}): string {
  const sorted = Object.entries(shares).sort(([, a], [, b]) => b - a)
  if (sorted.length === 0) return ''
  const names = sorted
    .slice(0, 3)
    .map(([name, share]) => `${shortened(name, 14)} ${(100 * share).toFixed(1)} %`)
  const more = sorted.length > 3 ? [`${sorted.length - 3} more`] : []
  return `: ${[...names, ...more].join(', ')}`
}

const PLURALS: Readonly<Record<string, string>> = {
  number: 'numbers',
  date: 'dates',
  category: 'categories',
  text: 'texts',
}

function featuresText({ features, embedded, leftOut }: TableOverview): string {
  const kinds = Object.keys(PLURALS).flatMap((type) => {
    const found = features[type]
    if (found === undefined) return []
    const more = type === 'category' && embedded > 0 ? ` (${embedded} embedded)` : ''
    return [`${found} ${found === 1 ? type : PLURALS[type]}${more}`]
  })
  return `${kinds.join(', ')}${leftOut > 0 ? `; ${leftOut} left out` : ''}`
}

type Epoch = EpochReport & { readonly epochs: number }

/** Whether an epoch is shown: 1, 2, 5, 10, 20, 50 … and the last one. */
export function isShown({ epoch, epochs }: Epoch): boolean {
  const leading = epoch / 10 ** Math.floor(Math.log10(epoch))
  return epoch === epochs || [1, 2, 5].includes(leading)
}

export function epochText(e: Epoch): string {
  return [
    epochTitle(e.epoch, e.epochs),
    `loss ${figure(e.loss)}`,
    `validation loss ${figure(e.validationLoss as number)}`,
    ...(e.validationAccuracy === undefined ? [] : [`accuracy ${percent(e.validationAccuracy)}`]),
    ...metricTexts(e.validationMetrics),
  ].join('  ')
}

/** The figures of the test part, and what the columns are worth. */
export function reportText({ classes, confusion, baseline, importance }: TableReport): string {
  const parts: string[] = []
  if (classes && confusion && baseline !== undefined) {
    const present = classes.filter(({ support }) => support > 0)
    const balanced = present.reduce((sum, { recall }) => sum + recall, 0) / present.length
    const usual = baseline.accuracy > 0 ? 1 / present.length : 0
    parts.push(
      `mean recall ${percent(balanced)}; always ${shortened(baseline.class, 12)}: accuracy ${percent(baseline.accuracy)}, mean recall ${percent(usual)}`,
      '',
      classesText(classes, confusion),
      '',
    )
  }
  const lost = classes ? 'mean recall' : 'R²'
  parts.push(
    `What the columns are worth: ${lost} lost where one is shuffled`,
    importanceText(importance),
  )
  return parts.join('\n')
}

function classesText(
  classes: readonly ClassFigures[],
  confusion: readonly (readonly number[])[],
): string {
  const order = classes.map((_, label) => label)
  // Of many, those that are told apart worst.
  if (classes.length > LISTED) order.sort((a, b) => classes[a].f1 - classes[b].f1)
  const shown = order.slice(0, LISTED)
  const lines = shown.map((label) => {
    const of = classes[label]
    const figures = [of.precision, of.recall, of.f1].map((value) => value.toFixed(3))
    return [shortened(of.class, 20), count(of.support), ...figures]
  })
  const figures = [['class', 'rows', 'precision', 'recall', 'f1'], ...lines]
  const names = classes.map((of) => shortened(of.class, 12))
  const matrix = [names, ...shown.map((label) => confusion[label].map(count))]
  const both = table(
    figures.map((row, i) => [...row, i === 0 ? 'predicted:' : '', ...matrix[i]]),
    `lrrrrl${'r'.repeat(classes.length)}`,
  )
  if (both.indexOf('\n') <= WIDTH) return both
  const text = table(figures, 'lrrrr')
  const rest = classes.length - shown.length
  return rest > 0 ? `${text}\n${rest} more classes, of higher f1` : text
}

function importanceText(importance: TableReport['importance']): string {
  const ranked = importance.slice(0, RANKED)
  const most = Math.max(...ranked.map(({ mean }) => mean), Number.EPSILON)
  const lines = ranked.map(({ column, mean }) => [
    shortened(column, 30),
    mean.toFixed(3).replace('-0.000', '0.000'),
    '█'.repeat(Math.round((BAR * Math.max(mean, 0)) / most)),
  ])
  const rest = importance.slice(RANKED)
  const more = rest.length > 0 ? `\n${rest.length} more, of ${rest[0].mean.toFixed(3)} or less` : ''
  return table(lines, 'lrl') + more
}

function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
