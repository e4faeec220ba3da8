// Calls of TensorFlow.js at random shapes: convolutions, pools and what else is done to images.
import { activations, gradientOf } from './common.mjs'

export const images = {
  conv(d) {
    const size = [d.int(1, 20), d.int(1, 20)]
    const kernel = size.map((extent) => d.int(1, Math.min(5, extent)))
    const dilation = d.chance(0.3) ? 2 : 1
    const stride = dilation > 1 ? 1 : [d.int(1, 3), d.int(1, 3)]
    const pad = d.pick(['same', 'valid'])
    if (pad === 'valid' && kernel.some((extent, i) => (extent - 1) * dilation >= size[i]))
      return undefined
    const [channels, filters] = [d.int(1, 9), d.int(1, 17)]
    const inputs = [
      d.floats([d.int(1, 4), ...size, channels]),
      d.floats([...kernel, channels, filters]),
    ]
    return {
      name: `conv2d ${stride} ${pad} ${dilation}`,
      inputs,
      compute: (tf, x, w) => tf.conv2d(x, w, stride, pad, 'NHWC', dilation),
    }
  },
  fusedConv(d) {
    const [size, channels, filters, kernel] = [d.int(3, 12), d.int(1, 6), d.int(1, 9), d.int(1, 3)]
    const activation = d.pick(activations)
    const depthwise = d.chance(0.4)
    const w = depthwise ? [kernel, kernel, channels, 1] : [kernel, kernel, channels, filters]
    const results = depthwise ? channels : filters
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats(w),
      d.floats([results]),
      d.floats([results]),
    ]
    const name = depthwise ? 'depthwiseConv2d' : 'conv2d'
    const compute = (tf, x, filter, bias, slopes) =>
      tf.fused[name]({
        x,
        filter,
        strides: 1,
        pad: 'same',
        bias,
        activation,
        leakyreluAlpha: 0.3,
        preluActivationWeights: slopes,
      })
    return { name: `fused ${name} ${activation}`, inputs, compute }
  },
  convGradient(d) {
    const [size, channels, filters, kernel] = [d.int(3, 14), d.int(1, 6), d.int(1, 9), d.int(1, 3)]
    const [stride, pad, which] = [d.int(1, 2), d.pick(['same', 'valid', 1]), d.int(0, 1)]
    if (pad === 1 && kernel < 2) return undefined
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, channels, filters]),
    ]
    const f = (tf) => (x, w) => tf.conv2d(x, w, stride, pad)
    return {
      name: `conv2d gradient ${which} ${stride} ${pad}`,
      inputs,
      compute: (tf, ...x) => gradientOf(tf, f(tf), x, which),
    }
  },
  channelsFirst(d) {
    const [size, channels, filters, kernel] = [d.int(3, 12), d.int(1, 6), d.int(1, 9), d.int(1, 3)]
    const [stride, pad] = [
      d.int(1, 2),
      d.pick([
        'same',
        'valid',
        [
          [0, 0],
          [0, 0],
          [1, 0],
          [0, 1],
        ],
      ]),
    ]
    const which = d.pick([undefined, 0, 1])
    // Then the gradients know no padding for each side.
    if (Array.isArray(pad) && (kernel < 2 || which !== undefined)) return undefined
    const inputs = [
      d.floats([2, channels, size, size]),
      d.floats([kernel, kernel, channels, filters]),
    ]
    const f = (tf) => (x, w) => tf.conv2d(x, w, stride, pad, 'NCHW')
    const compute = (tf, ...x) =>
      which === undefined ? f(tf)(...x) : gradientOf(tf, f(tf), x, which)
    return { name: `conv2d NCHW ${which} ${stride} ${pad}`, inputs, compute }
  },
  depthwise(d) {
    const [size, channels, kernel] = [d.int(3, 14), d.int(1, 9), d.int(1, 3)]
    const [stride, pad, times] = [d.int(1, 2), d.pick(['same', 'valid']), d.pick([1, 1, 2])]
    const which = d.pick([undefined, 0, 1])
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, channels, times]),
    ]
    const f = (tf) => (x, w) => tf.depthwiseConv2d(x, w, stride, pad)
    const compute = (tf, ...x) =>
      which === undefined ? f(tf)(...x) : gradientOf(tf, f(tf), x, which)
    return { name: `depthwiseConv2d ${which} ${stride} ${pad} ${times}`, inputs, compute }
  },
  transposedConv(d) {
    const [size, channels, filters, kernel, stride] = [
      d.int(2, 7),
      d.int(1, 5),
      d.int(1, 5),
      d.int(1, 4),
      d.int(1, 3),
    ]
    const out = (size - 1) * stride + kernel
    const inputs = [
      d.floats([2, size, size, channels]),
      d.floats([kernel, kernel, filters, channels]),
    ]
    return {
      name: `conv2dTranspose ${stride}`,
      inputs,
      compute: (tf, x, w) => tf.conv2dTranspose(x, w, [2, out, out, filters], stride, 'valid'),
    }
  },
  conv3d(d) {
    const size = [d.int(2, 6), d.int(2, 6), d.int(2, 6)]
    const kernel = size.map((extent) => d.int(1, Math.min(3, extent)))
    const [channels, filters, stride, pad] = [
      d.int(1, 4),
      d.int(1, 5),
      d.int(1, 2),
      d.pick(['same', 'valid']),
    ]
    const which = d.pick([undefined, 0, 1])
    const inputs = [d.floats([2, ...size, channels]), d.floats([...kernel, channels, filters])]
    const f = (tf) => (x, w) => tf.conv3d(x, w, stride, pad)
    const compute = (tf, ...x) =>
      which === undefined ? f(tf)(...x) : gradientOf(tf, f(tf), x, which)
    return { name: `conv3d ${which} ${stride} ${pad}`, inputs, compute }
  },
  pool(d) {
    const [size, channels, window] = [d.int(2, 18), d.int(1, 70), d.int(1, 3)]
    if (window > size) return undefined
    const [stride, pad, name, isGradient] = [
      d.int(1, 3),
      d.pick(['same', 'valid']),
      d.pick(['maxPool', 'avgPool']),
      d.chance(0.5),
    ]
    const x = d.floats([2, size, size, channels], {
      specials: d.chance(0.15) && name === 'maxPool' && !isGradient,
    })
    const f = (tf) => (a) => tf[name](a, window, stride, pad)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return { name: `${name} ${window} ${stride} ${pad} ${isGradient}`, inputs: [x], compute }
  },
  pool3d(d) {
    const [size, channels, window] = [d.int(2, 7), d.int(1, 9), d.int(1, 3)]
    if (window > size) return undefined
    const [stride, pad, name, isGradient] = [
      d.int(1, 2),
      d.pick(['same', 'valid']),
      d.pick(['maxPool3d', 'avgPool3d']),
      d.chance(0.5),
    ]
    const f = (tf) => (a) => tf[name](a, window, stride, pad)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return {
      name: `${name} ${window} ${stride} ${pad} ${isGradient}`,
      inputs: [d.floats([2, size, size, size, channels])],
      compute,
    }
  },
  batchNorm(d) {
    const c = d.int(1, 40)
    const [statistics, channels] = d.pick([
      [[c], [c]],
      [
        [5, c],
        [1, c],
      ],
      [
        [3, 5, c],
        [1, 1, c],
      ],
    ])
    const inputs = [
      d.floats([3, 5, c]),
      d.floats(statistics),
      d.floats(statistics, { positive: true }),
      ...Array.from({ length: d.int(0, 2) }, () => d.floats(channels)),
    ]
    return {
      name: 'batchNorm',
      inputs,
      compute: (tf, x, m, v, o, g) => tf.batchNorm(x, m, v, o, g, 1e-3),
    }
  },
  response(d) {
    const [radius, isGradient] = [d.int(0, 4), d.chance(0.5)]
    const f = (tf) => (x) => tf.localResponseNormalization(x, radius, 1.1, 0.7, 0.6)
    const compute = (tf, x) => (isGradient ? gradientOf(tf, f(tf), [x], 0) : f(tf)(x))
    return {
      name: `localResponseNormalization ${radius} ${isGradient}`,
      inputs: [d.floats([2, 3, 3, d.int(1, 9)])],
      compute,
    }
  },
  resize(d) {
    const name = d.pick(['resizeBilinear', 'resizeNearestNeighbor'])
    const [from, to] = [d.int(1, 9), [d.int(1, 14), d.int(1, 14)]]
    const align = d.chance(0.4)
    const half = !align && d.chance(0.5)
    // cpu's gradients are wrong for images that are not square, and for more than one image; of one pixel with
    // aligned corners they never end.
    const isGradient = !half && !(align && from === 1) && d.chance(0.4)
    const x = d.floats([isGradient ? 1 : 2, from, from, d.int(1, 4)])
    const f = (tf) => (a) => tf.image[name](a, to, align, half)
    const compute = (tf, a) => (isGradient ? gradientOf(tf, f(tf), [a], 0) : f(tf)(a))
    return { name: `${name} ${to} ${align} ${half} ${isGradient}`, inputs: [x], compute }
  },
}
