/** A report as text for a terminal. */
import { cases, describeCase } from './cases.js'
import type { Report, Row } from './run.js'

const HEADER = [
  ...['case', 'contestant', 'min µs', 'median µs'],
  ...['examples/s', 'GFLOP/s', 'to bare BLAS', 'loss after 100'],
]

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
  return [
    row.case,
    row.contestant,
    number(row.usPerStep.min),
    number(row.usPerStep.median),
    number(row.examplesPerSecond),
    number(row.gflops),
    number(row.toBareBlas),
    row.lossAfter100?.toFixed(5) ?? '–',
  ]
}

function align(rows: readonly string[][]): string[] {
  const widths = HEADER.map((_, i) => Math.max(...rows.map((row) => row[i].length)))
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
}

/** How many times as fast as pure JavaScript we are, case by case. */
function speedUps(rows: readonly Row[]): string[] {
  return rows
    .filter(({ contestant }) => contestant === 'neuroblas')
    .flatMap((ours) => {
      const js = rows.find((row) => row.contestant === 'js' && row.case === ours.case)
      return js ? [`${ours.case} ${number(js.usPerStep.min / ours.usPerStep.min)}×`] : []
    })
}

export function formatReport(report: Report): string {
  const { machine: m, rows, rounds, secondsPerRound } = report
  const lines = [
    `${m.cpu}, ${m.cores} cores, ${m.platform}, Node ${m.node}`,
    `OpenBLAS ${m.openblas ?? 'not loaded'}, core ${m.openblasCore ?? '–'}; own kernels ${m.simd ?? '–'}`,
    `rounds: ${rounds} of ${secondsPerRound} s each; threads: 1; data: ${report.data}`,
    '',
    ...align([HEADER, ...rows.map(cellsOf)]),
    '',
    ...[...new Set(rows.map((row) => row.case))].map((id) => {
      const c = cases.find((other) => other.id === id)
      return `${id}: ${c ? describeCase(c) : ''}`
    }),
  ]
  const ratios = speedUps(rows)
  if (ratios.length > 0) lines.push('', `neuroblas against js: ${ratios.join(', ')}`)
  for (const { case: id, contestant, reason } of report.notMeasured) {
    lines.push(`not measured: ${contestant} at ${id}: ${reason}`)
  }
  return lines.join('\n')
}
