/**
 * The colours of series: seen on white and on black, and told apart, also by readers who do not see red
 * or green. Distances are Euclidean in OKLab (Ottosson 2020) times 100; what such readers see is
 * simulated as by Machado, Oliveira and Fernandes (2009), with their matrices of severity 1.
 */
import t from 'tap'
import { PALETTE, rgb } from '../../lib/plot/theme.js'

type Triple = readonly [number, number, number]
type Matrix = readonly [Triple, Triple, Triple]

const times = (matrix: Matrix, v: Triple): Triple =>
  matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i], 0)) as unknown as Triple

const linear = (hex: string): Triple =>
  rgb(hex).map((byte) => {
    const c = byte / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as unknown as Triple

const SEEN: Record<string, Matrix> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
}
const TO_LMS: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
]
const TO_LAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
]

function distance(a: string, b: string, eyes: string): number {
  const [p, q] = [a, b].map((hex) => {
    const seen = times(SEEN[eyes], linear(hex)).map((c) => Math.min(1, Math.max(0, c)))
    return times(
      TO_LAB,
      times(TO_LMS, seen as unknown as Triple).map(Math.cbrt) as unknown as Triple,
    )
  })
  return 100 * Math.hypot(...p.map((x, i) => x - q[i]))
}

t.test('any two colours are told apart', async (t) => {
  for (const [i, a] of PALETTE.entries()) {
    for (const b of PALETTE.slice(i + 1)) {
      t.ok(distance(a, b, 'all') > 13, `${a} and ${b}: ${distance(a, b, 'all')}`)
      for (const eyes of ['deuteranopia', 'protanopia']) {
        t.ok(distance(a, b, eyes) > 5, `${a} and ${b}, ${eyes}: ${distance(a, b, eyes)}`)
      }
    }
  }
})

t.test('each is seen on white and on a dark page', async (t) => {
  const luminance = (hex: string) =>
    times(
      [
        [0.2126, 0.7152, 0.0722],
        [0, 0, 0],
        [0, 0, 0],
      ],
      linear(hex),
    )[0]
  const dark = luminance('#0d1117')
  for (const colour of PALETTE) {
    const own = luminance(colour)
    t.ok(1.05 / (own + 0.05) > 2.9, `${colour} on white`)
    t.ok((own + 0.05) / (dark + 0.05) > 2.9, `${colour} on a dark page`)
  }
})
