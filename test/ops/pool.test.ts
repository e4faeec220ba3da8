/**
 * Pools against PyTorch and Keras (fixtures/norm.json; the script is beside it), and what they refuse.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  ArgumentError,
  AvgPool1d,
  AvgPool2d,
  avgPool1d,
  avgPool2d,
  GlobalAvgPool2d,
  GlobalMaxPool2d,
  globalAvgPool2d,
  globalMaxPool2d,
  MaxPool1d,
  MaxPool2d,
  type Module,
  maxPool1d,
  maxPool2d,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js'
import { checkClose, type Numbers, tensorOf } from '../support/close.js'
import { onBothBackends } from '../support/reference.js'

type Op = 'maxPool2d' | 'avgPool2d' | 'maxPool1d' | 'avgPool1d'

interface PoolCase {
  op: Op
  x: Numbers
  kernelSize: number | number[]
  options: object
  y: Numbers
  dy: Numbers
  dx: Numbers
}

const { torch, keras } = JSON.parse(
  readFileSync(new URL('../fixtures/norm.json', import.meta.url), 'utf8'),
)
const functions = { maxPool2d, avgPool2d, maxPool1d, avgPool1d }
const modules = {
  maxPool2d: MaxPool2d,
  avgPool2d: AvgPool2d,
  maxPool1d: MaxPool1d,
  avgPool1d: AvgPool1d,
}

onBothBackends('as PyTorch', async (t: Test) => {
  for (const [i, { op, x: given, kernelSize, options, y, dy, dx }] of (
    torch.pools as PoolCase[]
  ).entries()) {
    const name = `${i}: ${op} of ${kernelSize}, ${JSON.stringify(options)}`
    const x = tensorOf(given)
    x.requiresGrad = true
    const found = functions[op](x, kernelSize, options)
    checkClose(t, found, y, name)
    found.backward(tensorOf(dy))
    checkClose(t, x.grad!, dx, `gradient of ${name}`)
    checkClose(t, new modules[op](kernelSize, options).forward(x), y, `the module of ${name}`)
  }
})

onBothBackends('as Keras', async (t: Test) => {
  for (const { op, x: given, kernelSize, options, y } of keras.pools) {
    const x = tensorOf(given)
    const name = `${op} of ${kernelSize}, ${JSON.stringify(options)}`
    const found =
      op === 'globalAvgPool2d' || op === 'globalMaxPool2d'
        ? { globalAvgPool2d, globalMaxPool2d }[op as 'globalAvgPool2d'](x)
        : functions[op as Op](x, kernelSize, options)
    checkClose(t, found, y, name)
  }
  const x = tensorOf(keras.pools[0].x)
  t.strictSame(new GlobalAvgPool2d().forward(x).toArray(), globalAvgPool2d(x).toArray())
  t.strictSame(new GlobalMaxPool2d().forward(x).toArray(), globalMaxPool2d(x).toArray())
})

onBothBackends(
  'of a whole image, the first of the largest elements gets the gradient',
  async (t) => {
    const x = tensor([1, 3, 2, 3], [1, 2, 2, 1])
    x.requiresGrad = true
    globalMaxPool2d(x).sum().backward()
    t.strictSame([...x.grad!.data()], [0, 1, 0, 0], "as PyTorch's adaptive_max_pool2d(x, 1)")
  },
)

t.test('what pools refuse', async (t) => {
  const image = zeros([2, 5, 4, 3])
  const refused = (fn: () => unknown, message: RegExp, kind: typeof ShapeError) =>
    t.throws(fn, { message, name: kind.name })
  const over = (op: string) => new RegExp(`^${op}: expected inputs \\[batch, `)
  refused(() => maxPool2d(zeros([5, 4, 3]), 2), over('maxPool2d'), ShapeError)
  refused(() => avgPool1d(image, 2), over('avgPool1d'), ShapeError)
  refused(() => new MaxPool1d(2).forward(image), over('MaxPool1d'), ShapeError)
  refused(
    () => maxPool2d(image, 5),
    /^maxPool2d: expected a window within the padded image, got \[5, 5\] over \[5, 4\]/,
    ShapeError,
  )
  refused(
    () =>
      new AvgPool2d([5, 6], {
        padding: [
          [0, 0],
          [1, 0],
        ],
      }).forward(image),
    /^AvgPool2d: expected a window within the padded image, got \[5, 6\] over \[5, 5\] \(the image is \[5, 4\]\)$/,
    ShapeError,
  )
  for (const padding of [
    2,
    [
      [0, 0],
      [0, 2],
    ],
  ] as const) {
    refused(
      () => maxPool2d(image, 2, { padding: padding as 2 }),
      /^maxPool2d: expected padding smaller than the window, \[2, 2\], got/,
      ArgumentError,
    )
  }
  refused(() => new MaxPool2d(0), /^MaxPool2d: expected a window of/, ArgumentError)
  refused(() => new AvgPool1d(2, { stride: 0 }), /^AvgPool1d: expected stride of/, ArgumentError)
  refused(
    () => maxPool2d(image, 2, { countIncludePad: false } as object),
    /^maxPool2d: expected options among stride, padding, got countIncludePad$/,
    ArgumentError,
  )
  refused(
    () => avgPool2d(image, 2, { countIncludePad: 1 as never }),
    /countIncludePad to be true or false/,
    ArgumentError,
  )
  refused(
    () => avgPool2d(image.cast('int32') as never, 2),
    /expected a float32 tensor/,
    ArgumentError,
  )
  for (const pool of [new GlobalAvgPool2d(), new GlobalMaxPool2d()] as Module[]) {
    refused(
      () => pool.forward(zeros([2, 0, 4, 3])),
      /of at least one pixel, got \[2, 0, 4, 3\]/,
      ShapeError,
    )
    refused(
      () => pool.forward(zeros([2, 4])),
      /images \[batch, height, width, channels\]/,
      ShapeError,
    )
  }
  t.strictSame(maxPool2d(zeros([0, 4, 4, 3]), 2).shape, [0, 2, 2, 3], 'no images')
  t.strictSame(avgPool2d(zeros([2, 4, 4, 0]), 2).shape, [2, 2, 2, 0], 'no channels')
  const x: Tensor = ones([1, 2, 2, 1])
  x.requiresGrad = true
  const y = maxPool2d(x, 2)
  x.assign([1, 1, 1, 2])
  y.backward()
  t.strictSame([...x.grad!.data()], [1, 0, 0, 0], 'the places are those of before')
})
