/**
 * Charts: SVG that a renderer takes, with the data in it where they belong, and what each refuses.
 */
import { inflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import * as vega from 'vega'
import { ArgumentError, dataset, predictedClasses, ShapeError, tensor } from '../../lib/index.js'
import * as plot from '../../lib/plot/index.js'
import { wrong } from '../support/reference.js'

const BLUE = '#2f7fc1'
const ORANGE = '#d55e00'

/** What is written in the chart. */
const texts = (svg: string) =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)

/** Width and height of the plot proper. */
function plotSize(svg: string): number[] {
  const [, width, height] = svg.match(/class="background"[^>]*d="M[^h]*h(\d+)v(\d+)/) ?? []
  return [Number(width), Number(height)]
}

/** The points that a curve of this colour goes through. */
function curve(svg: string, colour: string): number[][] {
  const [, path] = svg.match(new RegExp(`<path d="M([^"A]+)" stroke="${colour}"`)) ?? []
  return path!.split('L').map((point) => point.split(',').map(Number))
}

/** Whether positions grow with values in proportion. */
function proportional(t: Test, positions: number[], values: number[], name: string) {
  const scale = (positions.at(-1)! - positions[0]) / (values.at(-1)! - values[0])
  const off = values.map((v, i) => Math.abs(positions[i] - positions[0] - scale * (v - values[0])))
  t.ok(Math.max(...off) < 0.01, `${name}: ${positions} for ${values}`)
}

/** The pixels of the images in the chart, four bytes each. */
function imagesIn(svg: string): Buffer[] {
  return [...svg.matchAll(/href="data:image\/png;base64,([^"]+)"/g)].map(([, base64]) => {
    const png = Buffer.from(base64, 'base64')
    const [columns, rows] = [png.readUInt32BE(16), png.readUInt32BE(20)]
    const length = png.readUInt32BE(33)
    const lines = inflateSync(png.subarray(41, 41 + length))
    t.equal(lines.length, rows * (1 + 4 * columns))
    return Buffer.concat(
      Array.from({ length: rows }, (_, row) =>
        lines.subarray(row * (1 + 4 * columns) + 1, (row + 1) * (1 + 4 * columns)),
      ),
    )
  })
}

const plane = dataset({
  inputs: [
    [-1, -1],
    [1, 1],
    [1, -1],
  ],
  targets: [0, 1, 1],
  classes: ['left', 'right'],
})
const epochs = [1, 2, 3].map((epoch) => ({
  epoch,
  loss: 3 / epoch,
  validationLoss: 1 + 1 / epoch,
  validationAccuracy: 0.8 + epoch / 100,
}))

const monitored = [1, 51].flatMap((step) =>
  ['layers.0', 'layers.2'].map((layer, i) => ({ step, layer, value: (i + 1) * step })),
)

const charts: Record<string, () => Promise<string>> = {
  lines: () => plot.lines({ a: [1, 2, 3], b: { x: [0, 5], y: [2, -1] } }),
  'lines, logarithmic': () => plot.lines({ a: [1e-9, 1, 1e9] }, { logX: true, logY: true }),
  'one point': () => plot.lines({ a: [5] }),
  learningCurves: () => plot.learningCurves({ epochs, bestEpoch: 2 }),
  'several runs': () => plot.learningCurves({ one: { epochs }, two: { epochs } }),
  layerCurves: () => plot.layerCurves(monitored, { y: 'norm', logY: true }),
  accuracy: () => plot.learningCurves({ epochs }, { metric: 'accuracy' }),
  histograms: () => plot.histograms({ a: [1.5, 2, 2], b: [-3, 0.5] }, { logY: true }),
  'equal values': () => plot.histograms({ a: [0.5, 0.5], b: [0.5] }),
  scatter: () => plot.scatter({ a: { x: [0, 1], y: [2, 3] }, b: { x: [4], y: [5] } }),
  decisionBoundary: () => plot.decisionBoundary((x) => x.matmul(tensor([[1], [0]])), plane),
  images: () => plot.images([[0, 1, 2, 3]], { captions: ['a < b & c'] }),
  weightImages: () => plot.weightImages(tensor([[1], [-1], [0], [2]])),
  confusionMatrix: () => plot.confusionMatrix([0, 1, 1], [0, 1, 0]),
  biasVariance: () =>
    plot.biasVariance([1, 2], [plot.decompose([[1, 2]], [1, 1]), plot.decompose([[2, 2]], [1, 1])]),
  bars: () => plot.bars({ a: 1, b: -2 }),
  'bars in groups': () => plot.bars({ x: { a: 1, b: 20 }, y: { a: 3 } }, { logY: true }),
}

for (const [name, draw] of Object.entries(charts)) {
  t.test(`${name}: an SVG without background, the same each time`, async (t) => {
    const svg = await draw()
    t.match(svg, /^<svg role="img" aria-label="/)
    t.notMatch(svg, /NaN|undefined|Infinity/)
    t.notMatch(svg, /fill="(white|#fff|#ffffff)"[^>]*><\/rect>/i)
    t.equal(svg, await draw())
    const png = Buffer.from(await plot.toPng(svg, { scale: 1 }))
    const [, width] = svg.match(/ width="(\d+)"/) ?? []
    t.equal(png.readUInt32BE(16), Number(width), 'rendered, in full width')
  })
}

t.test('text has our widths, and that of others who use vega its own', async (t) => {
  const { textMetrics } = vega as unknown as { textMetrics: Record<string, unknown> }
  const theirs = () =>
    new vega.View(
      vega.parse({
        width: 200,
        height: 20,
        autosize: { type: 'fit', contains: 'padding' },
        scales: [{ name: 'x', type: 'point', range: 'width', domain: ['categories', 'b'] }],
        axes: [{ orient: 'bottom', scale: 'x', labelLimit: 60 }],
      }),
      { renderer: 'none' },
    ).toSVG()
  const alone = await theirs()
  t.match(alone, '…', 'by their widths the label is too long')
  const ours = () => plot.lines({ a: [1_000_000, 2_000_000] })
  const [svg, beside] = await Promise.all([ours(), theirs(), ours()])
  t.equal(beside, alone)
  t.equal(textMetrics.width, textMetrics.estimateWidth)
  const [width] = plotSize(svg)
  t.ok(width > 365, `${width}: by vega's widths the labels leave only 349`)
})

t.test('tensors are drawn as the arrays of their elements', async (t) => {
  const of = (values: number[]) => tensor(values)
  const labels = (values: number[]) => tensor(values, [values.length], 'int32')
  const pixels = [
    [0, 1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10, 11],
  ]
  const shape = { imageShape: [3, 2] } as const
  const images = tensor(pixels)
  const pairs: [Promise<string>, Promise<string>][] = [
    [plot.lines({ a: of([1, 3]) }), plot.lines({ a: [1, 3] })],
    [
      plot.scatter({ a: { x: labels([2, 5]), y: of([1, 3]) } }),
      plot.scatter({ a: { x: [2, 5], y: [1, 3] } }),
    ],
    [plot.histograms({ a: images }), plot.histograms({ a: pixels.flat() })],
    [
      plot.confusionMatrix(labels([0, 1, 1]), predictedClasses(tensor([[-1], [2], [-3]]))),
      plot.confusionMatrix([0, 1, 1], [0, 1, 0]),
    ],
    [plot.images(images, shape), plot.images(pixels, shape)],
    [plot.images(images.reshape([2, 1, 3, 2])), plot.images(pixels, shape)],
    [plot.images(pixels.map((image) => tensor(image, [3, 2]))), plot.images(pixels, shape)],
    [
      plot.biasVariance(of([4]), [plot.decompose(images, of(pixels[0]))]),
      plot.biasVariance([4], [plot.decompose(pixels, pixels[0])]),
    ],
  ]
  for (const [given, plain] of pairs) t.equal(await given, await plain)
})

t.test('options: titles, axes, size', async (t) => {
  const options = { title: 'Risk <1>', subtitle: 'falls', x: 'time (s)', y: 'risk', width: 300 }
  const svg = await plot.lines({ a: [1, 2], b: [2, 1] }, { ...options, height: 200 })
  for (const text of ['Risk &lt;1&gt;', 'falls', 'time (s)', 'risk', 'a', 'b']) {
    t.ok(texts(svg).includes(text), text)
  }
  t.match(svg, /width="300" height="200"/)
  t.match(svg, /aria-label="Risk &lt;1&gt;\. falls"/)
  const names = Array.from({ length: 8 }, (_, i) => `a name of some length ${i}`)
  const long = await plot.lines(Object.fromEntries(names.map((name) => [name, [1]])))
  const places = names.map((name) =>
    Number(long.split(`>${name}<`)[0].match(/.*translate\((\d+)/s)![1]),
  )
  t.ok(Math.max(...places) < 400, 'a long legend stays inside')
})

t.test('long titles: in lines, with the plot as wide as without them', async (t) => {
  const data = { a: [1, 2, 3] }
  const [width] = plotSize(await plot.lines(data))
  for (const title of ['momentum 0.9 '.repeat(12).trim(), 'x'.repeat(150)]) {
    const svg = await plot.lines(data, { title, subtitle: title, x: title })
    const lines = [...svg.matchAll(/<tspan[^>]*>([^<]*)</g)].map(([, line]) => line)
    t.equal(plotSize(svg)[0], width)
    t.ok(Math.max(...lines.map((line) => line.length)) < 60)
    t.equal(lines.join('').replaceAll(' ', ''), title.replaceAll(' ', '').repeat(3), 'no word lost')
    t.match(svg, `aria-label="${title}. ${title}"`)
  }
})

t.test('categories with long names: slanted where they would overlap', async (t) => {
  const classes = ['a very long class name', 'another long one', 'c']
  const svg = await plot.confusionMatrix([0, 1, 2], [0, 1, 2], { classes })
  t.strictSame(plotSize(svg), [108, 108], 'cells of 36 × 36')
  t.equal(svg.match(/rotate\(315\)/g)?.length, 3)
  t.ok(texts(svg).includes('a very long class n…'))
  t.ok(texts(svg).includes('predicted class'))
  const wide = await plot.confusionMatrix([0, 1, 2], [0, 1, 2], { classes, width: 800 })
  t.match(wide, / width="800"/)
  t.notMatch(wide, /rotate\(315\)/)
  const [width, height] = plotSize(
    await plot.confusionMatrix([0, 1, 2], [0, 1, 2], { classes, width: 300, height: 200 }),
  )
  t.ok(width > 100 && height > 60, 'room for the cells')
  const bars = await plot.bars(Object.fromEntries(classes.map((name, i) => [`${name}, again`, i])))
  t.equal(bars.match(/rotate\(315\)/g)?.length, 3)
})

t.test('lines: the data are where they belong', async (t) => {
  const y = [3, 1, 4, 1, 5]
  const x = [0, 1, 2, 4, 9]
  const points = curve(await plot.lines({ a: { x, y }, b: [0, 10] }), BLUE)
  proportional(
    t,
    points.map(([x]) => x),
    x,
    'x',
  )
  proportional(
    t,
    points.map(([, y]) => y),
    y,
    'y',
  )
  const log = curve(await plot.lines({ a: [1e-3, 1, 1e6] }, { logY: true }), BLUE)
  proportional(
    t,
    log.map(([, y]) => y),
    [-3, 0, 6],
    'logarithms',
  )
})

t.test('what is read out: the title, else the kind, the axes and the names', async (t) => {
  const label = (svg: string) => /aria-label="([^"]*)"/.exec(svg)?.[1]
  const curves = { tanh: [1, 2], relu: [2, 1] }
  t.equal(label(await plot.lines(curves, { title: 'Risk' })), 'Risk')
  t.equal(
    label(await plot.lines(curves, { x: 'epoch', y: 'loss' })),
    'line chart, loss against epoch: tanh; relu',
  )
  t.equal(label(await plot.bars({ zeros: 1, Glorot: 2 })), 'bar chart: zeros; Glorot')
  t.equal(
    label(await plot.histograms({ L1: [1, 2] }, { x: 'weight' })),
    'histogram, count against weight: L1',
  )
  t.equal(label(await plot.images([[1, 2, 3, 4]], { captions: ['7'] })), 'image: 7')
})

t.test('logarithmic axes: ticks of one kind, and no powers beyond the data', async (t) => {
  const ticks = async (y: number[]) =>
    texts(await plot.lines({ a: y }, { logY: true })).filter((text) => !'12xy'.includes(text))
  t.strictSame(await ticks([2e-4, 0.5]), ['0.001', '0.01', '0.1'])
  t.strictSame(await ticks([2e-5, 0.5]), ['10⁻⁴', '10⁻³', '10⁻²', '10⁻¹'])
  t.strictSame(await ticks([300, 4000]), ['500', '1000', '2000'])
  t.strictSame(await ticks([1e-300, 1e300]), [
    ...['10⁻³⁰⁰', '10⁻²²⁵', '10⁻¹⁵⁰', '10⁻⁷⁵'],
    ...['10⁷⁵', '10¹⁵⁰', '10²²⁵', '10³⁰⁰'],
  ])
  const svg = await plot.lines({ a: [1.5e-3, 0.2] }, { logY: true })
  const [[, low], [, high]] = curve(svg, BLUE)
  t.ok((low - high) / plotSize(svg)[1] > 0.9, 'the data fill the plot')
  t.ok((await ticks([5])).length > 1, 'also around one value')
})

t.test('more curves than colours: told apart by dashes, in the legend, too', async (t) => {
  const drawn = (svg: string, attribute: string) =>
    [...svg.matchAll(new RegExp(`stroke="(#[0-9a-f]+)"[^>]* ${attribute}="([^"]+)"`, 'g'))].map(
      ([, colour, style]) => `${colour} ${style}`,
    )
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`)
  const svg = await plot.lines(Object.fromEntries(names.map((name, i) => [name, [i, i + 1]])))
  t.equal(new Set(drawn(svg, 'stroke-dasharray')).size, 20)
  t.equal(drawn(svg, 'stroke-dasharray').length, 40, 'curves and their symbols')
  t.notMatch(await plot.lines({ a: [1, 2], b: [2, 1] }), /stroke-dasharray/)
  const runs = Object.fromEntries(names.slice(0, 10).map((name) => [name, { epochs }]))
  const styles = drawn(await plot.learningCurves(runs), 'stroke-width')
  t.ok(styles.includes(`${BLUE} 2`) && styles.includes(`${BLUE} 4`), 'where dashes are validation')
  const shapes = await plot.scatter(Object.fromEntries(names.map((name) => [name, [1]])))
  const marks = [...shapes.matchAll(/d="([^"]+)" fill="(#[^"]+)" stroke="white"/g)]
  t.equal(
    new Set(marks.map(([, shape, colour]) => shape + colour)).size,
    40,
    'in the plot and in the legend',
  )
})

t.test('learningCurves: losses of both parts, and the epoch that was kept', async (t) => {
  const svg = await plot.learningCurves({ epochs, bestEpoch: 2 })
  proportional(
    t,
    curve(svg, BLUE).map(([, y]) => y),
    [3, 1.5, 1],
    'training',
  )
  proportional(
    t,
    curve(svg, ORANGE).map(([, y]) => y),
    [2, 1.5, 4 / 3],
    'validation',
  )
  t.strictSame(
    ['kept', 'training', 'validation'].filter((text) => texts(svg).includes(text)).length,
    3,
  )
  t.notOk(texts(await plot.learningCurves({ epochs, bestEpoch: 3 })).includes('kept'))
  const accuracy = await plot.learningCurves({ epochs }, { metric: 'accuracy' })
  t.ok(texts(accuracy).includes('83'), 'in percent')
})

t.test('histograms: bars as high as there are values', async (t) => {
  const heights = async (values: number[], bins: number) => {
    const svg = await plot.histograms({ a: values }, { bins })
    return [...svg.matchAll(new RegExp(`v([\\d.]+)h[^"]+" fill="${BLUE}"`, 'g'))].map(([, h]) =>
      Number(h),
    )
  }
  const [one, two, three] = await heights([0, 0.4, 0.5, 0.9, 1.2, 1.5], 3)
  t.same([two / one, three / one], [1, 1])
  const [low, high] = await heights([0.5, 1.5, 1.5, 1.5], 2)
  t.ok(Math.abs(high / low - 3) < 1e-3)
  t.equal((await heights([1, 2, 3, 4, 5], 60)).length, 5, 'a bar per integer')
})

t.test('decisionBoundary: the line where the logit is 0, the field on both sides', async (t) => {
  const ranges = { rangeX: [-1, 3], rangeY: [-1, 1] } as const
  const svg = await plot.decisionBoundary((x) => x.matmul(tensor([[1], [0]])), plane, ranges)
  const [, width] = svg.match(/<image[^>]*width="([\d.]+)"/) ?? []
  const lines = [...svg.matchAll(/<line transform="translate\(([\d.]+),[^>]*stroke-width="1.5"/g)]
  t.ok(lines.length > 50)
  for (const [, x] of lines) t.ok(Math.abs(Number(x) - Number(width) / 4) < 0.1)
  const [field] = imagesIn(svg)
  const at = (i: number) => [...field.subarray(4 * i, 4 * i + 4)]
  t.strictSame(at(0).slice(0, 3), [0x2f, 0x7f, 0xc1], 'left')
  t.strictSame(at(119).slice(0, 3), [0xd5, 0x5e, 0x00], 'right')
  t.ok(at(119)[3] > at(60)[3], 'the farther the more certain')
  const perClass = await plot.decisionBoundary(
    (x) =>
      x.matmul(
        tensor([
          [0, 1],
          [0, 0],
        ]),
      ),
    plane,
    ranges,
  )
  t.equal(perClass, svg, 'two logits say the same as one')
})

t.test('images and weights: pixels of their values', async (t) => {
  const grey = imagesIn(
    await plot.images(
      [
        [0, 1],
        [2, 4],
      ],
      { imageShape: [1, 2] },
    ),
  )
  const levels = grey.map((pixels) => [pixels[0], pixels[4]])
  t.strictSame(levels, [
    [255, 191],
    [127, 0],
  ])
  const [weights] = imagesIn(await plot.weightImages(tensor([[-2], [0], [1], [2]])))
  t.strictSame(
    [3, 7, 11, 15].map((i) => weights[i]),
    [255, 0, 127, 255],
    'opacity',
  )
  t.strictSame([...weights.subarray(0, 3)], [0x2f, 0x7f, 0xc1], 'negative')
  t.strictSame([...weights.subarray(12, 15)], [0xd5, 0x5e, 0x00], 'positive')
})

t.test('confusionMatrix and bars: the numbers are written on them', async (t) => {
  const actual = [0, 0, 0, 1, 1, 2]
  const predicted = [0, 0, 2, 1, 0, 2]
  const svg = await plot.confusionMatrix(actual, predicted, { classes: ['a', 'b', 'c'] })
  t.strictSame(
    texts(svg).filter((text) => /^\d$/.test(text)),
    ['2', '0', '1', '1', '1', '0', '0', '0', '1'],
  )
  t.ok(texts(await plot.bars({ one: 1.25, two: -3 })).includes('1.25'))
})

t.test('decompose: bias, variance and error by hand', async (t) => {
  // Means 2 and 4 against 1 and 4; variances 1 and 0.
  t.same(
    plot.decompose(
      [
        [1, 4],
        [3, 4],
      ],
      [1, 4],
    ),
    { bias2: 0.5, variance: 0.5, error: 1 },
  )
  const models = [
    [0.3, 1.7, -2],
    [0.1, 2.5, 1],
    [4, 0, 0],
  ]
  const targets = [1, 2, 3]
  const { bias2, variance, error } = plot.decompose(models, targets)
  const squares = models.flatMap((row) => row.map((y, i) => (y - targets[i]) ** 2))
  t.ok(Math.abs(error - squares.reduce((sum, e) => sum + e) / 9) < 1e-12)
  t.ok(Math.abs(error - bias2 - variance) < 1e-12)
})

t.test('toPng: letters are drawn, on white', async (t) => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text x="5" y="20" font-family="system-ui, Arial, 'DejaVu Sans', sans-serif">${text}</text></svg>`
  const [written, blank] = await Promise.all([svg('risk'), svg(' ')].map((svg) => plot.toPng(svg)))
  t.ok(written.length > blank.length + 200, `${written.length} and ${blank.length} bytes`)
  await t.rejects(plot.toPng('no picture'), {
    message: /^plot.toPng: expected an SVG document, got/,
  })
  await t.rejects(plot.toPng(svg('').replace('90', '1e9')), {
    message: /^plot.toPng: .* got one of 1.2e\+11 pixels/,
  })
  const narrow = await plot.confusionMatrix([0, 1], [0, 1], { width: 40 })
  t.ok((await plot.toPng(narrow)).length > 0, 'cells outside of the picture')
  await t.rejects(plot.toPng(svg(''), { scale: 0 }), { message: /^plot.toPng: expected a scale/ })
})

t.test('what is refused', async (t) => {
  const { NaN: nan } = Number
  const refusals: [() => Promise<unknown>, typeof ArgumentError, string | RegExp][] = [
    [() => plot.lines({}), ArgumentError, 'plot.lines: expected at least one of series, got none'],
    [() => plot.lines(wrong([1, 2])), ArgumentError, /^plot.lines: expected series by name, got/],
    [
      () => plot.lines({ a: [] }),
      ArgumentError,
      'plot.lines: expected at least one number in y of a, got none',
    ],
    [
      () => plot.lines({ a: [1, nan] }),
      ArgumentError,
      'plot.lines: expected finite numbers in y of a, got NaN at 1',
    ],
    [
      () => plot.lines({ a: [1, 0] }, { logY: true }),
      ArgumentError,
      'plot.lines: expected numbers > 0 on a logarithmic axis in y of a, got 0 at 1',
    ],
    [
      () => plot.lines({ a: { x: [1], y: [1, 2] } }),
      ShapeError,
      'plot.lines: expected as many x as y in a, got 1 and 2',
    ],
    [
      () => plot.lines({ a: wrong('abc') }),
      ArgumentError,
      /^plot.lines: expected an array of numbers or a tensor as y of a, got 'abc'/,
    ],
    [
      () => plot.lines({ a: wrong(null) }),
      ArgumentError,
      /^plot.lines: expected an array of numbers/,
    ],
    [() => plot.lines({ a: [1] }, { width: -1 }), ArgumentError, /^plot.lines: expected a width/],
    [
      () => plot.learningCurves({ epochs }, { metric: 'risk' as never }),
      ArgumentError,
      "plot.learningCurves: expected metric loss or accuracy, got 'risk'",
    ],
    [
      () => plot.learningCurves({ epochs: [] }),
      ArgumentError,
      'plot.learningCurves: expected epochs with a loss, got none',
    ],
    [
      () => plot.learningCurves({ epochs: [{ epoch: 1, loss: nan }] }),
      ArgumentError,
      /^plot.learningCurves: expected/,
    ],
    [
      () => plot.learningCurves(wrong({ a: 3 })),
      ArgumentError,
      'plot.learningCurves: expected { epochs } of a, got 3',
    ],
    [
      () => plot.learningCurves({ epochs: [{ epoch: 1, loss: 1 }] }, { metric: 'accuracy' }),
      ArgumentError,
      'plot.learningCurves: expected epochs with a validation accuracy, got none',
    ],
    [
      () => plot.histograms({ a: [Infinity] }),
      ArgumentError,
      'plot.histograms: expected finite numbers in a, got Infinity at 0',
    ],
    [
      () => plot.histograms({ a: [1] }, { bins: 0 }),
      ArgumentError,
      /^plot.histograms: expected bins/,
    ],
    [
      () => plot.scatter({ a: { x: [], y: [] } }),
      ArgumentError,
      /^plot.scatter: expected at least one/,
    ],
    [() => plot.images([]), ArgumentError, /^plot.images: expected an array of at least one image/],
    [
      () => plot.images(wrong(new Uint8Array(1e6))),
      ArgumentError,
      /^plot.images: expected .*, got Uint8Array\(1000000\) \[0, 0.{1,50}$/,
    ],
    [
      () => plot.lines(wrong(new Float32Array(1e6))),
      ArgumentError,
      /^plot.lines: expected series by name, got Float32Array.{1,60}$/,
    ],
    [
      () => plot.bars(wrong({ a: tensor([1, 2]) })),
      ArgumentError,
      'plot.bars: expected categories of a by name, got Tensor([2], float32)',
    ],
    [
      () => plot.learningCurves(wrong({ a: Array(1e6).fill('long') })),
      ArgumentError,
      /^plot.learningCurves: expected { epochs } of a, got \['long'.{1,60}$/,
    ],
    [
      () => plot.histograms({ a: wrong([1, { b: 'x'.repeat(1e6) }]) }),
      ArgumentError,
      /^plot.histograms: expected finite numbers in a, got { b: 'x{50,60}…/,
    ],
    [
      () => plot.weightImages(wrong([[1]])),
      ArgumentError,
      'plot.weightImages: expected a tensor, got [[1]]',
    ],
    [
      () => plot.images([[1, 2, 3, 4], [1]]),
      ShapeError,
      'plot.images: expected images of 2 × 2 pixels, got 1 in image 1',
    ],
    [
      () => plot.images([[1]], { captions: [] }),
      ShapeError,
      'plot.images: expected a caption per image, got 0 for 1',
    ],
    [
      () => plot.images([[nan]]),
      ArgumentError,
      'plot.images: expected finite numbers in image 0, got NaN at 0',
    ],
    [
      () => plot.weightImages(tensor([1, 2])),
      ShapeError,
      'plot.weightImages: expected a matrix, got [2]',
    ],
    [
      () => plot.confusionMatrix([0], [0, 1]),
      ShapeError,
      /^plot.confusionMatrix: expected a prediction/,
    ],
    [
      () => plot.confusionMatrix([0, 2], [0, 1], { classes: ['a', 'b'] }),
      ArgumentError,
      'plot.confusionMatrix: expected classes in 0..1, got 2 at 1',
    ],
    [
      () => plot.confusionMatrix([0, 1], [0, 1], { classes: ['a', 'a'] }),
      ArgumentError,
      "plot.confusionMatrix: expected a name of its own for each class, got ['a', 'a']",
    ],
    [() => plot.confusionMatrix([0.5], [0]), ArgumentError, /^plot.confusionMatrix: expected/],
    [
      () => plot.bars({ a: nan }),
      ArgumentError,
      'plot.bars: expected finite numbers in a, got NaN at 0',
    ],
    [() => plot.bars({}), ArgumentError, /^plot.bars: expected at least one/],
    [async () => plot.decompose([], [1]), ArgumentError, /^plot.decompose: .* at least one model/],
    [
      async () => plot.decompose([[1, 2]], [1]),
      ShapeError,
      'plot.decompose: expected 1 predictions, got 2 of model 0',
    ],
    [
      () => plot.biasVariance([1, 2], []),
      ShapeError,
      /^plot.biasVariance: expected a decomposition/,
    ],
    [
      () => plot.decisionBoundary((x) => x, dataset({ inputs: [[1]], targets: [0] })),
      ShapeError,
      /^plot.decisionBoundary: expected inputs of shape \[2\]/,
    ],
    [
      () => plot.decisionBoundary((x) => x.sum(), plane),
      ShapeError,
      /^plot.decisionBoundary: expected logits/,
    ],
    [
      () => plot.decisionBoundary((x) => x.mul(nan), plane),
      ArgumentError,
      /^plot.decisionBoundary: expected finite logits, got NaN/,
    ],
  ]
  for (const [draw, type, message] of refusals) {
    const error = await draw().then(
      () => undefined,
      (error) => error,
    )
    t.ok(error instanceof type, String(error))
    t.match(error?.message, message)
  }
})
