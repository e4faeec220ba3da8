/** Random distortions of images: what they do at known settings, and how strong they are. */
import t from 'tap'
import {
  ArgumentError,
  capture,
  type DistortionOptions,
  distortion,
  Generator,
  getNumThreads,
  rand,
  ShapeError,
  setBackend,
  setNumThreads,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { bits, close, onBothBackendsLater } from '../support/engine.js'
import { refuses } from '../support/reference.js'

const imageShape = [28, 28] as const
const noLabels = tensor(Int32Array.of(0))
const apply = (options: Partial<DistortionOptions>, x: Tensor, seed = 1, labels = noLabels) =>
  distortion({ imageShape, ...options })(x, labels, new Generator(seed))

/** Compared as bytes: differences of so many elements are no help, and slow. */
const same = (a: Tensor, b: Tensor) =>
  Buffer.from(bits(a).buffer).equals(Buffer.from(bits(b).buffer))

const strong = { alpha: 36, sigma: 6, rotation: 15, shear: 10, scale: 0.15 }

onBothBackendsLater('neutral settings give the image itself, to the bit', async (t) => {
  const x = rand([5, 784])
  t.ok(same(apply({}, x), x))
  const zero = { alpha: 0, sigma: 4, rotation: 0, shear: 0, scale: 0 }
  t.ok(same(apply(zero, x), x))
  t.ok(same(apply({ imageShape: [4, 196] }, x), x))
})

onBothBackendsLater('the seed fixes it, images of a batch differ', async (t) => {
  const image = rand([1, 784])
  const x = image.broadcastTo([3, 784])
  const y = apply(strong, x)
  t.strictSame(y.shape, [3, 784])
  t.ok(same(apply(strong, x), y))
  t.notOk(same(apply(strong, x, 2), y))
  t.notOk(same(y.slice([0, 1]), y.slice([1, 2])))
  t.ok(same(apply(strong, x.reshape([3, 28, 28])).reshape([3, 784]), y))
})

t.test('both backends agree', async (t) => {
  const values = rand([9, 784]).data()
  const [native, js] = (['native', 'js'] as const).map((backend) => {
    setBackend(backend)
    return apply(strong, tensor(values, [9, 784])).data()
  })
  // Positions of about 30 pixels in float32, times the steepest slope.
  close(t, native, js, 3e-5, 'pixels')
  setBackend('native')
})

t.test('the same for any number of threads, captured or not', async (t) => {
  const threads = getNumThreads()
  const x = rand([33, 784])
  const wanted = apply(strong, x)
  for (const count of [1, 2, 3]) {
    setNumThreads(count)
    const generator = new Generator(1)
    const distort = distortion({ imageShape, ...strong })
    const step = capture((images: Tensor) => distort(images, noLabels, generator))
    t.ok(same(step(x), wanted), `${count} threads`)
    t.notOk(same(step(x), wanted), 'the next replay draws again')
    step.dispose()
  }
  setNumThreads(threads)
})

/** An image whose pixels are their own row or column, far from every border. */
const ramp = (size: number, of: 'row' | 'col') =>
  tensor(
    Float32Array.from({ length: size * size }, (_, i) =>
      of === 'row' ? Math.floor(i / size) : i % size,
    ),
    [1, size * size],
  )

t.test('displacements have the mean and the deviation of smoothed noise', async (t) => {
  const size = 96
  const { alpha, sigma } = { alpha: 34, sigma: 4 }
  const squares: number[] = []
  for (let seed = 0; seed < 20; seed++) {
    for (const axis of ['row', 'col'] as const) {
      const x = ramp(size, axis)
      const [before, after] = [
        x.data(),
        apply({ imageShape: [size, size], alpha, sigma }, x, seed).data(),
      ]
      for (let r = 20; r < 76; r++) {
        for (let c = 20; c < 76; c++)
          squares.push((after[r * size + c] - before[r * size + c]) ** 2)
      }
    }
  }
  const deviation = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length)
  // Uniform noise has variance 1/3; a Gaussian leaves 1 / (4πσ²) of it.
  const expected = alpha * Math.sqrt(1 / 3 / (4 * Math.PI * sigma ** 2))
  t.ok(Math.abs(deviation / expected - 1) < 0.1, `${deviation} pixels for ${expected}`)
})

t.test('affine maps stay within their limits and use them', async (t) => {
  const size = 64
  const at = (r: number, c: number) => r * size + c
  const slopes = (options: Partial<DistortionOptions>, axis: 'row' | 'col') =>
    Array.from({ length: 60 }, (_, seed) => {
      const y = apply({ imageShape: [size, size], ...options }, ramp(size, axis), seed).data()
      return { down: y[at(33, 32)] - y[at(32, 32)], right: y[at(32, 33)] - y[at(32, 32)] }
    })
  const check = (values: number[], low: number, high: number, what: string) => {
    const [least, most] = [Math.min(...values), Math.max(...values)]
    const margin = 0.2 * (high - low)
    t.ok(least >= low - 1e-4 && least <= low + margin, `${what}: from ${least} for ${low}`)
    t.ok(most <= high + 1e-4 && most >= high - margin, `${what}: to ${most} for ${high}`)
  }
  const angles = slopes({ rotation: 15 }, 'row').map(({ down, right }) => Math.atan2(-right, down))
  check(
    angles.map((angle) => (angle * 180) / Math.PI),
    -15,
    15,
    'rotation',
  )
  const turned = slopes({ rotation: 15 }, 'col').map(({ down, right }) => Math.hypot(down, right))
  for (const length of turned) t.ok(Math.abs(length - 1) < 1e-4, 'a rotation keeps lengths')
  const tan = Math.tan((10 * Math.PI) / 180)
  const sheared = slopes({ shear: 10 }, 'col')
  check(
    sheared.map(({ down }) => down),
    -tan,
    tan,
    'shear',
  )
  for (const { right } of sheared) t.ok(Math.abs(right - 1) < 1e-4, 'a shear keeps rows')
  check(
    slopes({ scale: 0.2 }, 'row').map(({ down }) => down),
    0.8,
    1.2,
    'scale of rows',
  )
  check(
    slopes({ scale: 0.2 }, 'col').map(({ right }) => right),
    0.8,
    1.2,
    'scale of columns',
  )
})

t.test('limits for each class', async (t) => {
  const x = rand([4, 784])
  const labels = tensor(Int32Array.of(1, 0, 1, 0))
  const y = apply({ rotation: [0, 15] }, x, 1, labels)
  for (const i of [0, 1, 2, 3]) {
    t.equal(same(y.slice([i, i + 1]), x.slice([i, i + 1])), i % 2 === 1, `image ${i}`)
  }
  refuses(
    t,
    () => distortion({ imageShape, rotation: [1] })(x, rand([4, 10]), new Generator(1)),
    ArgumentError,
    'distortion: expected class labels beside limits for each class',
  )
})

t.test('what makes no sense is refused', async (t) => {
  const wrong: [Partial<DistortionOptions>, string][] = [
    [{ imageShape: [0, 28] }, 'rows an integer > 0, got 0'],
    [{ imageShape: [28, 1.5] }, 'columns an integer > 0, got 1.5'],
    [{ alpha: -1 }, 'alpha >= 0, got -1'],
    [{ sigma: 0 }, 'sigma > 0, got 0'],
    [{ rotation: Number.NaN }, 'rotation >= 0, got NaN'],
    [{ rotation: [10, -1] }, 'rotation >= 0, got -1'],
    [{ shear: 90 }, 'shear from 0 to below 90, got 90'],
    [{ scale: 1 }, 'scale from 0 to below 1, got 1'],
  ]
  for (const [options, message] of wrong) {
    refuses(
      t,
      () => distortion({ imageShape, ...options }),
      ArgumentError,
      `distortion: expected ${message}`,
    )
  }
  refuses(
    t,
    () => apply({}, rand([2, 785])),
    ShapeError,
    'distortion: expected images of 28 x 28 pixels, got inputs [2, 785]',
  )
  t.equal(apply({ alpha: 1, sigma: 1e12 }, rand([1, 784])).size, 784, 'a huge sigma is no trouble')
})
