/** A report as text for a terminal. */
import { cases, describeCase } from './cases.js'
import type { Report, Row } from './report.js'

const HEADER = [
  'case',
  'contestant',
  'threads',
  'level',
  'engine',
  'min µs',
  'median µs',
  'p10 µs',
  'examples/s',
  'GFLOP/s',
  'to bare BLAS',
  'of limit',
  'speed-up',
  'loss after 100',
]

/** Columns of words. */
const LEFT = new Set(['case', 'contestant', 'level', 'engine'])

/** Three significant digits or more. */
function number(value: number | null): string {
  if (value === null) return '–'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

function cellsOf(row: Row): string[] {
  const { min, median, p10 } = row.usPerStep
  return [
    row.case,
    row.contestant,
    `${row.threads}`,
    row.level ?? '–',
    row.engine ?? '–',
    ...[min, median, p10, row.examplesPerSecond, row.gflops].map(number),
    ...[row.toBareBlas, row.toLimit, row.speedUp].map(number),
    row.lossAfter100?.toFixed(5) ?? '–',
  ]
}

function align(rows: readonly string[][]): string[] {
  const widths = HEADER.map((_, i) => Math.max(...rows.map((row) => row[i].length)))
  return rows.map((row) =>
    row
      .map((cell, i) => (LEFT.has(HEADER[i]) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
}

/** How many times as fast as each other contestant we are on as many threads, case by case. */
function ratios(rows: readonly Row[]): string[] {
  const ours = rows.filter(({ contestant }) => contestant === 'neuroblas')
  const others = new Set(rows.map(({ contestant }) => contestant))
  for (const name of ['neuroblas', 'bare', 'limit', 'against']) others.delete(name)
  return [...others].flatMap((name) => {
    const times = ours.flatMap((our) => {
      const same = rows.find(
        (row) =>
          row.contestant === name &&
          row.case === our.case &&
          row.threads === our.threads &&
          (row.level === null || row.level === our.level),
      )
      return same ? [`${caseOf(our, ours)} ${number(same.usPerStep.min / our.usPerStep.min)}×`] : []
    })
    return times.length > 0 ? [`neuroblas against ${name}: ${times.join(', ')}`] : []
  })
}

/** The case of a row, with its thread count where that is not 1, and its level where there are others. */
function caseOf({ case: id, threads, level }: Row, rows: readonly Row[]): string {
  const isOne = rows.every((row) => row.level === level)
  return [id, threads > 1 && threads, !isOne && level].filter(Boolean).join('/')
}

/** Our time as a multiple of the other checkout's, case by case. */
function againstCheckout(rows: readonly Row[]): string[] {
  const compared = rows.filter(({ toAgainst }) => toAgainst !== null)
  const ratios = compared.map((row) => {
    const { median, min, p10 } = row.toAgainst!
    const shown = [median, min, p10].map((x) => x?.toFixed(3) ?? '–')
    return `${caseOf(row, compared)} ${shown[0]} (${shown[1]}, ${shown[2]})`
  })
  const what = 'time of neuroblas ÷ time of against, medians (minima, 10th percentiles)'
  return ratios.length > 0 ? [`${what}: ${ratios.join(', ')}`] : []
}

/** Figures in the unit that their name ends with; everything else is bytes. */
function figureOf([name, value]: [string, number]): string {
  if (name.endsWith('Ms')) return `${spaced(name.slice(0, -2))} ${number(value)} ms`
  return `${spaced(name)} ${(value / 2 ** 20).toFixed(2)} MiB`
}

const spaced = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

function figures(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const found = Object.entries(row.figures ?? {}).map(figureOf)
    const who = `${row.case} ${row.contestant}, threads: ${row.threads}`
    return found.length > 0 ? [`${who}: ${found.join(', ')}`] : []
  })
}

/** Each note, and each reason, once, with what it is about. */
function grouped(items: readonly { case: string; contestant: string; text: string }[]): string[] {
  const groups = new Map<string, Set<string>>()
  for (const { case: id, contestant, text } of items) {
    const key = `${contestant}: ${text}`
    groups.set(key, (groups.get(key) ?? new Set()).add(id))
  }
  return [...groups].map(([key, ids]) => `${key} (${[...ids].join(', ')})`)
}

/** Which states of the project were compared. */
function commits({ commit, against }: Report): string[] {
  if (!against) return []
  const named = (commit: string | null) => commit ?? 'no clone, so no commit is known'
  return [`neuroblas: ${named(commit)}`, `against: ${named(against.commit)}, in ${against.folder}`]
}

export function formatReport(report: Report): string {
  const { machine: m, rows, rounds, secondsPerRound } = report
  const sections = [
    [
      `${m.cpu}, ${m.cores} cores, ${m.platform}, Node ${m.node}`,
      `products: ${m.engine ?? 'pure JavaScript'}; vector instructions: ${m.level ?? '–'}`,
      `OpenBLAS: ${m.openblas ?? 'not loaded'}, core ${m.openblasCore ?? '–'}`,
      ...(m.openblasCost === null ? [] : [m.openblasCost]),
      ...(m.processor === null ? [] : [`training steps on one thread: processor ${m.processor}`]),
      ...commits(report),
      ...Object.entries(report.versions).map(([name, version]) => `${name}: ${version}`),
      `rounds: ${rounds} of ${secondsPerRound} s each; data: ${report.data}`,
    ],
    align([HEADER, ...rows.map(cellsOf)]),
    [...new Set(rows.map((row) => row.case))].map((id) => {
      const c = cases.find((other) => other.id === id)
      return `${id}: ${c ? describeCase(c) : ''}`
    }),
    figures(rows),
    againstCheckout(rows),
    ratios(rows),
    grouped(
      rows.flatMap(({ case: id, contestant, note }) =>
        note === undefined ? [] : [{ case: id, contestant, text: note }],
      ),
    ),
    grouped(
      report.notMeasured.map(({ case: id, contestant, reason }) => ({
        case: id,
        contestant,
        text: reason,
      })),
    ).map((line) => `not measured: ${line}`),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}
