/** Windows: how many fit over an image, and what they are refused for. */
import t from 'tap'
import { ArgumentError, ShapeError } from '../../lib/index.js'
import { checkWindow, placeWindow } from '../../lib/ops/window.js'

t.test('the extents of PyTorch and of Keras', async (t) => {
  const place = (
    extents: number[],
    size: number | number[],
    options: Parameters<typeof checkWindow>[3],
  ) => placeWindow('conv2d', checkWindow('conv2d', extents.length, size, options), extents)
  t.strictSame(place([7, 10], [3, 4], {}), { before: [0, 0], after: [0, 0], output: [5, 7] })
  t.strictSame(place([7, 10], 3, { padding: 1, stride: [2, 3] }), {
    before: [1, 1],
    after: [1, 1],
    output: [4, 4],
  })
  t.strictSame(place([9], 3, { padding: [[2, 1]], dilation: 3 }).output, [6])
  t.strictSame(place([9, 9, 9], [1, 2, 3], { padding: 'valid', stride: 2 }).output, [5, 4, 4])
  // keras.ops.conv(…, padding='same'): ceil(extent / stride) windows, the odd padding behind.
  t.strictSame(place([6, 5], 3, { padding: 'same', stride: 2 }), {
    before: [0, 1],
    after: [1, 1],
    output: [3, 3],
  })
  t.strictSame(place([5, 4], 4, { padding: 'same' }), {
    before: [1, 1],
    after: [2, 2],
    output: [5, 4],
  })
  t.strictSame(place([5], 2, { padding: 'same', stride: 3 }), {
    before: [0],
    after: [0],
    output: [2],
  })
  t.strictSame(place([8], 3, { padding: 'same', dilation: 2 }), {
    before: [2],
    after: [2],
    output: [8],
  })
})

t.test('what is no window', async (t) => {
  const refused = (size: unknown, options: object, message: RegExp) =>
    t.throws(() => checkWindow('conv2d', 2, size as number, options), { message }, ArgumentError)
  refused(0, {}, /^conv2d: expected a window of one whole number or 2 from 1, got 0$/)
  refused([3], {}, /expected a window of one whole number or 2 from 1, got \[3\]/)
  refused(3, { stride: 1.5 }, /^conv2d: expected stride of one whole number or 2 from 1, got 1\.5$/)
  refused(3, { dilation: [1, -1] }, /expected dilation of one whole number or 2 from 1/)
  const padding =
    /^conv2d: expected padding 'same', 'valid', a whole number from 0 or \[\[top, bottom\], \[left, right\]\], got/
  for (const given of [-1, 'full', [1, 1], [[1, 1]], [[1, 1, 1], [0]], null, Number.NaN]) {
    refused(3, { padding: given }, padding)
  }
  t.throws(
    () =>
      placeWindow(
        'conv2d',
        checkWindow('conv2d', 2, [3, 4], {
          padding: [
            [0, 0],
            [0, 1],
          ],
        }),
        [5, 2],
      ),
    {
      message:
        'conv2d: expected a window within the padded image, got [3, 4] over [5, 3] (the image is [5, 2])',
    },
    ShapeError,
  )
  t.throws(
    () => placeWindow('conv1d', checkWindow('conv1d', 1, 3, { dilation: 4 }), [8]),
    { message: /got \[9\] \(\[3\] dilated by \[4\]\) over \[8\]/ },
    ShapeError,
  )
  t.throws(() => placeWindow('conv1d', checkWindow('conv1d', 1, 1, {}), [0]), ShapeError)
  t.throws(
    () => placeWindow('conv1d', checkWindow('conv1d', 1, 3, { padding: 'same' }), [0]),
    ShapeError,
  )
})
