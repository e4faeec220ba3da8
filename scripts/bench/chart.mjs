// Draws a report of `neuroblas bench --json` as SVG: how long a training step takes, as a multiple of
// its bare BLAS calls on one thread, per case and contestant, a row of panels per thread count.
//   node scripts/setup.mjs && node scripts/bench/chart.mjs report.json > docs/benchmark.svg
import { readFileSync } from 'node:fs'
import { argv, stdout } from 'node:process'
import { drawSized } from '../../lib/plot/draw.js'
import { TEXT } from '../../lib/plot/theme.js'

const DECADES = [0.1, 1, 10, 100, 1000, 10_000]

const COLOURS = {
  neuroblas: '#e4572e',
  torch: '#4c9be8',
  'torch-compile': '#2b6cb0',
  jax: '#2aa198',
  sklearn: '#b58900',
  'tfjs-wasm': '#9b7ede',
  'tfjs-cpu': '#6c4fb3',
  js: '#d16ba5',
  brain: '#7a8b5c',
}

function valuesOf({ rows }) {
  return rows
    .filter((row) => row.toBareBlas !== null && row.contestant in COLOURS)
    .map(({ case: id, contestant, threads, toBareBlas }) => ({
      id,
      contestant,
      toBareBlas,
      threads: threads === 1 ? '1 thread' : `${threads} threads`,
      label: toBareBlas.toFixed(2),
      // Below its bar, where no other bar is.
      labelAt: Math.min(toBareBlas, 1),
    }))
}

const headingOf = ({ machine, date }) => ({
  title: 'Time of a training step, as a multiple of its bare BLAS calls on one thread',
  subtitle: `Shorter is faster, the scale is logarithmic. ${machine.cpu}, ${machine.cores} cores, ${date.slice(0, 10)}`,
})

function specOf(values) {
  const present = Object.keys(COLOURS).filter((name) =>
    values.some(({ contestant }) => contestant === name),
  )
  const position = {
    x: { field: 'id', type: 'nominal', title: null, axis: { labelAngle: 0 } },
    xOffset: { field: 'contestant', sort: present },
  }
  const ratio = { field: 'toBareBlas', type: 'quantitative', scale: { type: 'log' } }
  const layers = [
    {
      mark: { type: 'bar', cornerRadiusEnd: 1 },
      encoding: {
        ...position,
        y: { ...ratio, title: 'step time ÷ bare BLAS', axis: { format: '~g', values: DECADES } },
        y2: { datum: 1 },
        color: {
          field: 'contestant',
          sort: present,
          scale: { domain: present, range: present.map((name) => COLOURS[name]) },
          legend: { title: null, orient: 'top' },
        },
      },
    },
    {
      mark: { type: 'rule', color: TEXT, strokeDash: [4, 3] },
      encoding: { y: { datum: 1 } },
    },
    {
      transform: [{ filter: "datum.contestant === 'neuroblas'" }],
      mark: {
        type: 'text',
        fontSize: 9,
        align: 'right',
        dx: 7,
        dy: 8,
        color: TEXT,
      },
      encoding: { ...position, y: { ...ratio, field: 'labelAt' }, text: { field: 'label' } },
    },
  ]
  return {
    data: { values },
    facet: {
      row: { field: 'threads', type: 'nominal', title: null, header: { labelAnchor: 'middle' } },
    },
    spec: { width: 760, height: 190, layer: layers },
  }
}

const [path] = argv.slice(2)
if (path === undefined) {
  console.error('usage: node scripts/bench/chart.mjs report.json > docs/benchmark.svg')
  process.exit(2)
}
const report = JSON.parse(readFileSync(path, 'utf8'))
const values = valuesOf(report)
if (values.length === 0) {
  console.error(`${path}: expected rows with toBareBlas; measure some of P1 to P8 with bare`)
  process.exit(1)
}
stdout.write(`${await drawSized(specOf(values), headingOf(report))}\n`)
