/** Random changes of pictures with channels. */
import t from 'tap'
import {
  ArgumentError,
  capture,
  Generator,
  type ImageAugmentationOptions,
  imageAugmentation,
  rand,
  ShapeError,
  setBackend,
  setSeed,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { close, onBothBackendsLater } from '../support/engine.js'
import { refuses } from '../support/reference.js'

const imageShape = [6, 9, 3] as const
const [height, width, channels] = imageShape
const pixels = height * width * channels
const noLabels = tensor(Int32Array.of(0))
const apply = (options: Partial<ImageAugmentationOptions>, x: Tensor, seed = 1) =>
  imageAugmentation({ imageShape, ...options })(x, noLabels, new Generator(seed))

const all = { rotation: 20, scale: 0.2, shift: 0.2, flip: true, brightness: 0.3, contrast: 0.3 }

/** The values of a channel of an image, row by row. */
const channelOf = (values: Float32Array, image: number, channel: number) =>
  Array.from({ length: height * width }, (_, i) => values[image * pixels + i * channels + channel])

onBothBackendsLater('what is left out changes nothing', async (t) => {
  const x = rand([4, ...imageShape])
  const y = apply({}, x)
  t.strictSame(y.shape, x.shape)
  close(t, y.data(), x.data(), 1e-6, 'pixels')
  const rows = x.reshape([4, pixels])
  t.strictSame(apply(all, rows).data(), apply(all, x).data(), 'rows of pixels')
  t.strictSame(apply(all, rows).shape, [4, pixels])
})

onBothBackendsLater('half of the images are mirrored', async (t) => {
  const x = rand([40, ...imageShape])
  const mirrored = x.flip([2])
  const [before, other, after] = [x, mirrored, apply({ flip: true }, x)].map((of) => of.data())
  const distance = (from: Float32Array, image: number) => {
    const at = image * pixels
    return Math.max(
      ...Array.from({ length: pixels }, (_, i) => Math.abs(from[at + i] - after[at + i])),
    )
  }
  let flipped = 0
  for (let image = 0; image < 40; image++) {
    const [kept, turned] = [distance(before, image), distance(other, image)]
    t.ok(Math.min(kept, turned) < 1e-5)
    if (turned < kept) flipped++
  }
  t.ok(flipped > 8 && flipped < 32, `${flipped}`)
})

onBothBackendsLater('light: a factor around the mean of a channel, and a constant', async (t) => {
  const x = rand([8, ...imageShape])
  const [before, after] = [x.data(), apply({ brightness: 0.3, contrast: 0.5 }, x).data()]
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length
  const found = Array.from({ length: 8 }, (_, image) => {
    const [factors, added] = [[], []] as number[][]
    for (let channel = 0; channel < channels; channel++) {
      const [from, to] = [before, after].map((of) => channelOf(of, image, channel))
      const [m, n] = [mean(from), mean(to)]
      added.push(n - m)
      factors.push((to[0] - n) / (from[0] - m))
      close(
        t,
        to,
        from.map((value) => (value - m) * factors[channel] + n),
        1e-4,
        'pixels',
      )
    }
    close(
      t,
      factors,
      factors.map(() => factors[0]),
      1e-3,
      'one factor for all channels',
    )
    close(
      t,
      added,
      added.map(() => added[0]),
      1e-5,
      'one constant',
    )
    return [factors[0], added[0]]
  })
  t.ok(found.every(([factor, add]) => factor > 0.49 && factor < 1.51 && Math.abs(add) < 0.31))
  t.equal(new Set(found.map(String)).size, 8, 'each image in its own way')
})

onBothBackendsLater('channels move together; beyond the image is its mean', async (t) => {
  const grey = rand([5, height, width, 1]).broadcastTo([5, ...imageShape])
  const moved = apply({ rotation: 30, scale: 0.3, shift: 0.3 }, grey).data()
  for (let i = 0; i < moved.length; i += channels) {
    if (moved[i] !== moved[i + 1] || moved[i] !== moved[i + 2]) t.fail(`pixel ${i}`)
  }
  t.notSame([...moved], [...grey.data()])
  const plain = rand([5, 1, 1, 3]).broadcastTo([5, ...imageShape])
  close(t, apply({ rotation: 30, shift: 0.5 }, plain).data(), plain.data(), 1e-6, 'pixels')
})

t.test('a shift by whole pixels, as the generator draws it', async (t) => {
  // Rows 3 and 4 of what is drawn: of height and width.
  const drawn = new Generator(3).uniform([7, 1], -1, 1).data()
  const x = rand([1, ...imageShape])
  const shift = 2 / (height * Math.abs(drawn[3]))
  const [before, after] = [x.data(), apply({ shift }, x, 3).data()]
  const [rows, columns] = [Math.sign(drawn[3]) * 2, drawn[4] * shift * width]
  const at = (row: number, column: number) => before[(row * width + column) * channels]
  let compared = 0
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [from, part] = [
        Math.floor(column + columns),
        column + columns - Math.floor(column + columns),
      ]
      if (row + rows < 0 || row + rows >= height || from < 0 || from + 1 >= width) continue
      const wanted = at(row + rows, from) * (1 - part) + at(row + rows, from + 1) * part
      t.ok(Math.abs(after[(row * width + column) * channels] - wanted) < 1e-4)
      compared++
    }
  }
  t.ok(compared > 5, `${compared} pixels`)
})

t.test('both backends and captured steps agree; the seed fixes it', async (t) => {
  setSeed(1)
  const values = rand([5, ...imageShape]).data()
  const [native, js] = (['native', 'js'] as const).map((backend) => {
    setBackend(backend)
    return apply(all, tensor(values, [5, ...imageShape])).data()
  })
  setBackend('native')
  close(t, native, js, 1e-5, 'pixels')
  const x = tensor(values, [5, ...imageShape])
  const change = imageAugmentation({ imageShape, ...all })
  const generator = new Generator(1)
  const step = capture((x: Tensor) => change(x, noLabels, generator))
  t.strictSame(step(x).data(), native)
  t.notSame(step(x).data(), native, 'other ones in the next step')
  t.notSame(apply(all, x, 2).data(), native)
  step.dispose()
})

t.test('what is refused', async (t) => {
  const wrong: [Partial<ImageAugmentationOptions> | Record<string, unknown>, RegExp][] = [
    [{ imageShape: [6, 9] }, /imageShape to be \[height, width, channels\], got \[6, 9\]/],
    [{ imageShape: [6, 0, 3] }, /imageShape/],
    [{ rotation: -1 }, /rotation/],
    [{ scale: 1 }, /scale .*from 0 to below 1/],
    [{ contrast: Number.NaN }, /contrast/],
    [{ flip: 1 }, /flip to be true or false, got 1/],
    [{ zoom: 1 }, /zoom/],
  ]
  for (const [options, message] of wrong) {
    refuses(t, () => imageAugmentation({ imageShape, ...options } as never), ArgumentError, message)
  }
  refuses(
    t,
    () => apply(all, rand([2, 5, 9, 3])),
    ShapeError,
    /images of 6 x 9 x 3, got inputs \[2, 5, 9, 3\]/,
  )
})
