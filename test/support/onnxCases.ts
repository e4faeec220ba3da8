/** Calls of every operator that the import knows, with values, shapes and settings at random. */
import type { Float, Setting } from './onnxFile.js'
import { float } from './onnxFile.js'
import type { Values } from './onnxRuntime.js'
import { random } from './values.js'

/** An input of the graph, or a constant of the file; undefined is one that is not given. */
export type Operand = (Values & { readonly constant?: true }) | undefined

export interface OperatorCase {
  readonly inputs: readonly Operand[]
  readonly attributes?: Readonly<Record<string, Setting>>
  readonly outputs?: number
  readonly opset?: number
  /** Relative to the largest value; 1e-5 without. */
  readonly tolerance?: number
}

type Cases = readonly (() => OperatorCase)[]

const whole = (low: number, high: number) => low + Math.floor((high - low + 1) * random())
const pick = <T>(...items: readonly T[]): T => items[whole(0, items.length - 1)]
const sizeOf = (shape: readonly number[]) => shape.reduce((size, extent) => size * extent, 1)
const some = (shape: readonly number[], value: () => number) =>
  Array.from({ length: sizeOf(shape) }, value)
const constant = (values: Values): Operand => ({ ...values, constant: true })

const floats = (shape: readonly number[], low = -2, high = 2): Values => ({
  type: 'float32',
  shape,
  data: some(shape, () => Math.fround(low + (high - low) * random())),
})
const ints = (shape: readonly number[], low: number, high: number): Values => ({
  type: 'int64',
  shape,
  data: some(shape, () => whole(low, high)),
})
const bools = (shape: readonly number[]): Values => ({
  type: 'bool',
  shape,
  data: some(shape, () => whole(0, 1)),
})
const texts = (shape: readonly number[], ...among: readonly string[]): Values => ({
  type: 'string',
  shape,
  data: Array.from({ length: sizeOf(shape) }, () => pick(...among)),
})
const list = (...data: readonly number[]) => constant({ type: 'int64', shape: [data.length], data })
const scalar = (value: number) => constant({ type: 'float32', shape: [], data: [value] })
const scalarInt = (value: number) => constant({ type: 'int64', shape: [], data: [value] })
const number = (low: number, high: number): Float =>
  float(Math.fround(low + (high - low) * random()))

/** A shape of 2 to 4 axes. */
const shape = () => Array.from({ length: whole(2, 4) }, () => whole(1, 4))
/** A shape that broadcasts with another. */
const against = (of: readonly number[]) =>
  of.slice(whole(0, of.length - 1)).map((extent) => pick(extent, extent, 1))

const unary = (low = -2, high = 2): Cases => [() => ({ inputs: [floats(shape(), low, high)] })]

/** Two operands, either of which may be a constant or a number. */
const binary = (make: (shape: readonly number[]) => Values = floats): Cases => [
  () => {
    const of = shape()
    const [x, y] = [make(of), make(against(of))]
    return { inputs: pick<Operand[]>([x, y], [y, x], [x, constant(y)], [constant(x), y]) }
  },
  () => ({ inputs: [make(shape()), constant(make([]))] }),
  () => ({ inputs: [constant(make([1])), make(shape())] }),
]

const activation = (
  settings: () => Readonly<Record<string, Setting>> = () => ({}),
  opset?: number,
): Cases => [
  () => ({ inputs: [floats(shape(), -4, 4)], opset }),
  () => ({ inputs: [floats(shape(), -4, 4)], attributes: settings(), opset }),
]

const softmax: Cases = [
  () => ({ inputs: [floats(shape())] }),
  () => ({ inputs: [floats([2, 3, 4])], attributes: { axis: whole(-3, 2) } }),
  () => ({ inputs: [floats([2, 3, 4])], attributes: { axis: whole(0, 2) }, opset: 11 }),
  () => ({ inputs: [floats([2, 3, 4])], opset: 11 }),
]

const reduction = (low = -2): Cases => [
  () => ({ inputs: [floats(shape(), low)] }),
  () => ({
    inputs: [floats([2, 3, 4], low), list(...pick([0], [-1], [0, 2], [1, -1]))],
    attributes: { keepdims: whole(0, 1) },
  }),
  () => ({
    inputs: [floats([2, 3, 4], low)],
    attributes: { axes: pick([0], [2], [0, 2]), keepdims: whole(0, 1) },
    opset: 11,
  }),
  () => ({ inputs: [floats([2, 3], low)], attributes: { noop_with_empty_axes: 1 } }),
]

const extremes: Cases = [
  () => ({
    inputs: [floats([2, 3, 4])],
    attributes: { axis: whole(-3, 2), keepdims: whole(0, 1) },
  }),
  () => ({
    inputs: [{ type: 'float32', shape: [2, 6], data: some([2, 6], () => whole(0, 2)) }],
    attributes: { axis: 1, select_last_index: whole(0, 1) },
  }),
]

/** A window over images of one or two axes. */
function windowOf(axes: number, settings: readonly ('pads' | 'dilations' | 'strides')[]) {
  const kernel = Array.from({ length: axes }, () => whole(1, 3))
  const chosen: Record<string, readonly number[]> = { kernel_shape: kernel }
  for (const name of settings) {
    if (name === 'pads') chosen.pads = [...kernel, ...kernel].map((size) => whole(0, size - 1))
    else chosen[name] = kernel.map(() => whole(1, 2))
  }
  return { kernel, attributes: chosen as Record<string, Setting> }
}

const conv: Cases = [1, 2, 3].flatMap((axes) => [
  () => {
    const { kernel, attributes } = windowOf(axes, ['pads', 'dilations', 'strides'])
    const group = whole(1, 2)
    const weight = floats([2 * group, 3, ...kernel])
    return {
      inputs: [
        floats([2, 3 * group, ...kernel.map(() => whole(5, 7))]),
        pick<Operand>(weight, constant(weight)),
        pick<Operand>(undefined, constant(floats([2 * group]))),
      ],
      attributes: { ...attributes, group },
    }
  },
  () => {
    const { kernel, attributes } = windowOf(axes, ['strides'])
    return {
      inputs: [
        floats([2, 3, ...kernel.map(() => whole(4, 7))]),
        constant(floats([4, 3, ...kernel])),
      ],
      attributes: { ...attributes, auto_pad: pick('SAME_UPPER', 'SAME_LOWER', 'VALID') },
    }
  },
])

const convTranspose: Cases = [1, 2].flatMap((axes) => [
  () => {
    const { kernel, attributes } = windowOf(axes, ['pads', 'dilations', 'strides'])
    const group = whole(1, 2)
    const { strides } = attributes as { strides: number[] }
    return {
      inputs: [
        floats([2, 2 * group, ...kernel.map(() => whole(3, 5))]),
        constant(floats([2 * group, 3, ...kernel])),
        pick<Operand>(undefined, constant(floats([3 * group]))),
      ],
      attributes: {
        ...attributes,
        group,
        output_padding: strides.map((step) => whole(0, step - 1)),
      },
    }
  },
  () => {
    const kernel = Array.from({ length: axes }, () => 3)
    return {
      inputs: [floats([1, 2, ...kernel.map(() => 4)]), constant(floats([2, 3, ...kernel]))],
      attributes: {
        strides: kernel.map(() => 2),
        auto_pad: pick('SAME_UPPER', 'SAME_LOWER'),
      },
    }
  },
  () => {
    const kernel = Array.from({ length: axes }, () => 3)
    return {
      inputs: [floats([1, 2, ...kernel.map(() => 4)]), constant(floats([2, 3, ...kernel]))],
      attributes: { strides: kernel.map(() => 2), output_shape: kernel.map(() => whole(7, 10)) },
    }
  },
])

const pool = (isAverage: boolean): Cases =>
  [1, 2].flatMap((axes) => [
    () => {
      const { kernel, attributes } = windowOf(axes, ['pads', 'strides'])
      return {
        inputs: [floats([2, 3, ...kernel.map(() => whole(5, 8))])],
        attributes: {
          ...attributes,
          ceil_mode: whole(0, 1),
          ...(isAverage ? { count_include_pad: whole(0, 1) } : {}),
        },
      }
    },
    () => {
      const { kernel, attributes } = windowOf(axes, [])
      // onnxruntime refuses longer steps than windows, which would be padded by less than nothing.
      const strides = kernel.map((size) => whole(1, Math.min(2, size)))
      const padding = pick('SAME_UPPER', 'SAME_LOWER', 'VALID')
      return {
        inputs: [floats([2, 3, ...kernel.map(() => whole(5, 8))])],
        attributes: { ...attributes, strides, auto_pad: padding },
      }
    },
  ])

const images = (channels = 3) =>
  floats([2, channels, ...Array.from({ length: whole(1, 2) }, () => whole(2, 4))])

const globally: Cases = [() => ({ inputs: [images()] })]

const resize = (isUpsample: boolean): Cases =>
  isUpsample
    ? [
        () => ({
          inputs: [images(2)].map((x) => ({
            ...x,
            shape: [2, 2, 3, 2],
            data: floats([2, 2, 3, 2]).data,
          })),
          attributes: { mode: pick('nearest', 'linear'), scales: float([1, 1, 2, pick(1, 2, 3)]) },
          opset: 7,
        }),
        () => ({
          inputs: [
            floats([1, 2, 3, 4]),
            constant({ type: 'float32', shape: [4], data: [1, 1, 2, 1.5] }),
          ],
          attributes: { mode: pick('nearest', 'linear') },
          opset: 9,
        }),
      ]
    : [
        () => ({
          inputs: [
            floats([1, 2, 4, 6]),
            undefined,
            constant({
              type: 'float32',
              shape: [4],
              data: [1, 1, pick(0.5, 2, 1.5), pick(0.5, 2, 3)],
            }),
          ],
          attributes: {
            mode: pick('nearest', 'linear'),
            coordinate_transformation_mode: pick(
              'half_pixel',
              'pytorch_half_pixel',
              'align_corners',
              'asymmetric',
            ),
            nearest_mode: pick('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'),
          },
        }),
        () => ({
          inputs: [
            floats([1, 2, 4, 6]),
            undefined,
            undefined,
            list(1, 2, whole(1, 9), whole(1, 9)),
          ],
          attributes: { mode: pick('nearest', 'linear') },
        }),
        () => ({
          inputs: [floats([1, 2, 4, 6]), undefined, undefined, list(5, 8)],
          attributes: {
            mode: 'linear',
            axes: [3, 2],
            coordinate_transformation_mode: 'half_pixel_symmetric',
          },
        }),
        () => ({
          inputs: [
            floats([1, 2, 4, 4]),
            constant({ type: 'float32', shape: [4], data: [1, 1, 2, 2] }),
          ],
          attributes: { mode: pick('nearest', 'linear') },
          opset: 10,
        }),
      ]

const ML: Readonly<Record<string, Cases>> = {
  ArrayFeatureExtractor: [
    () => ({ inputs: [floats([3, 5]), ints([1, 3], 0, 4)] }),
    () => ({ inputs: [constant(texts([1, 3], 'a', 'b')), ints([2], 0, 2)] }),
  ],
  Binarizer: [() => ({ inputs: [floats([3, 4])], attributes: { threshold: number(-1, 1) } })],
  FeatureVectorizer: [
    () => ({ inputs: [floats([3, 2]), floats([3, 1])], attributes: { inputdimensions: [2, 1] } }),
  ],
  Imputer: [
    () => ({
      inputs: [{ type: 'float32', shape: [3, 2], data: [1, NaN, 3, 4, NaN, 6] }],
      attributes: { imputed_value_floats: float([7, 8]), replaced_value_float: float(NaN) },
    }),
    () => ({
      inputs: [{ type: 'float32', shape: [3, 2], data: [1, -1, 3, 4, -1, 6] }],
      attributes: { imputed_value_floats: float([7]), replaced_value_float: float(-1) },
    }),
    () => ({
      inputs: [ints([3, 2], 0, 2)],
      attributes: { imputed_value_int64s: [7, 8], replaced_value_int64: 1 },
    }),
  ],
  LabelEncoder: [
    () => ({
      inputs: [texts([6], 'a', 'b', 'c')],
      attributes: { keys_strings: ['b', 'a'], values_int64s: [5, 6], default_int64: 9 },
    }),
    () => ({
      inputs: [texts([6], 'a', 'b', 'c')],
      attributes: { keys_strings: ['b', 'a'], values_strings: ['x', 'y'] },
    }),
    () => ({
      inputs: [ints([2, 3], 0, 3)],
      attributes: {
        keys_int64s: [2, 0, 1],
        values_strings: ['x', 'y', 'x'],
        default_string: 'none',
      },
    }),
    () => ({
      inputs: [ints([5], 0, 3)],
      attributes: { keys_int64s: [2, 0, 1], values_floats: float([0.5, 1.5, 2.5]) },
    }),
    () => ({
      inputs: [{ type: 'float32', shape: [4], data: [0.5, 1.5, 2, NaN] }],
      attributes: { keys_floats: float([1.5, 0.5]), values_int64s: [1, 2] },
    }),
  ],
  LinearClassifier: [
    () => ({
      inputs: [floats([5, 3])],
      outputs: 2,
      attributes: {
        classlabels_ints: [4, 7],
        coefficients: float([0.5, -1, 2, -0.5, 1, -2]),
        intercepts: float([0.25, -0.25]),
        post_transform: pick('LOGISTIC', 'SOFTMAX', 'NONE'),
      },
    }),
    () => ({
      inputs: [ints([4, 2], -3, 3)],
      outputs: 2,
      attributes: {
        classlabels_strings: ['x', 'y', 'z'],
        coefficients: float([1, 2, -1, 0.5, 0.25, -2]),
        intercepts: float([0.125, 0, -0.5]),
        multi_class: 1,
        post_transform: 'SOFTMAX',
      },
    }),
  ],
  LinearRegressor: [
    () => ({
      inputs: [floats([5, 3])],
      attributes: { coefficients: float([0.5, -1, 2]), intercepts: float([0.25]) },
    }),
    () => ({
      inputs: [floats([4, 2])],
      attributes: {
        coefficients: float([1, 2, -1, 0.5]),
        intercepts: float([0.125, -0.5]),
        targets: 2,
      },
    }),
  ],
  Normalizer: [
    () => ({
      inputs: [{ ...floats([3, 4]), data: [...floats([2, 4]).data, 0, 0, 0, 0] as number[] }],
      attributes: { norm: pick('L1', 'L2') },
    }),
    () => ({ inputs: [floats([3, 4], -2, 2)], attributes: { norm: 'MAX' } }),
  ],
  OneHotEncoder: [
    () => ({
      inputs: [texts([4, 1], 'a', 'b', 'c')],
      attributes: { cats_strings: ['b', 'a'], zeros: 1 },
    }),
    () => ({ inputs: [ints([5], 0, 4)], attributes: { cats_int64s: [3, 1, 2] } }),
  ],
  Scaler: [
    () => ({
      inputs: [floats([3, 2])],
      attributes: { offset: float([0.5, -1]), scale: float([2, 0.25]) },
    }),
    () => ({
      inputs: [ints([3, 2], 0, 9)],
      attributes: { offset: float([1.5]), scale: float([2]) },
    }),
  ],
  ZipMap: [],
}

export const operatorCases: Readonly<Record<string, Cases>> = {
  ...Object.fromEntries(Object.entries(ML).map(([name, cases]) => [`ai.onnx.ml.${name}`, cases])),
  Abs: [...unary(), () => ({ inputs: [ints(shape(), -5, 5)] })],
  Add: [...binary(), ...binary((of) => ints(of, -5, 5))],
  And: binary(bools),
  ArgMax: extremes,
  ArgMin: extremes,
  AveragePool: pool(true),
  BatchNormalization: [
    () => {
      const x = pick(images(), floats([4, 3]))
      const moments = [floats([3]), floats([3]), floats([3]), floats([3], 0.1, 2)]
      return { inputs: [x, ...moments.map(constant)], attributes: { epsilon: number(1e-5, 0.1) } }
    },
    () => ({ inputs: [images(), ...[0, 1, 2, 3].map(() => floats([3], 0.5, 2))] }),
  ],
  Cast: [
    () => ({ inputs: [floats(shape(), -5, 5)], attributes: { to: pick(1, 6, 7, 9, 11) } }),
    () => ({ inputs: [ints(shape(), -2, 2)], attributes: { to: pick(1, 6, 7, 9) } }),
    () => ({ inputs: [bools(shape())], attributes: { to: pick(1, 7) } }),
    () => ({ inputs: [constant(texts([3], '1.5', '-2', '1e3'))], attributes: { to: 1 } }),
  ],
  CastLike: [() => ({ inputs: [floats(shape(), -5, 5), ints([1], 0, 1)] })],
  Ceil: unary(),
  Celu: activation(() => ({ alpha: number(0.5, 2) })),
  Clip: [
    () => ({ inputs: [floats(shape()), scalar(-1), scalar(0.5)] }),
    () => ({ inputs: [floats(shape()), pick<Operand>(undefined, scalar(-0.5))] }),
    () => ({ inputs: [floats(shape()), undefined, scalar(0.5)] }),
    () => ({ inputs: [ints(shape(), -9, 9), scalarInt(-3), scalarInt(4)] }),
    () => ({
      inputs: [floats(shape())],
      attributes: { min: number(-1, 0), max: number(0, 1) },
      opset: 7,
    }),
  ],
  Concat: [
    () => ({
      inputs: [floats([2, 3]), floats([2, 1]), constant(floats([2, 2]))],
      attributes: { axis: pick(1, -1) },
    }),
    () => ({ inputs: [ints([2], 0, 9), list(1, 2)], attributes: { axis: 0 } }),
  ],
  Constant: [
    () => ({ inputs: [], attributes: { value: floats([2, 2]) } }),
    () => ({ inputs: [], attributes: { value_float: number(0, 1) } }),
    () => ({ inputs: [], attributes: { value_ints: [3, 4] } }),
    () => ({ inputs: [], attributes: { value_strings: ['a', 'b', 'a'] } }),
  ],
  ConstantOfShape: [
    () => ({ inputs: [list(2, 3)] }),
    () => ({ inputs: [list(4)], attributes: { value: ints([1], 1, 9) } }),
  ],
  Conv: conv,
  ConvTranspose: convTranspose,
  Cos: unary(),
  CumSum: [
    () => ({
      inputs: [pick(floats([2, 3, 4]), ints([2, 3, 4], -5, 5)), scalarInt(whole(-3, 2))],
      attributes: { exclusive: whole(0, 1), reverse: whole(0, 1) },
    }),
  ],
  DepthToSpace: [
    () => ({
      inputs: [floats([2, 8, 2, 3])],
      attributes: { blocksize: 2, mode: pick('DCR', 'CRD') },
    }),
  ],
  Div: [
    ...binary((of) => floats(of, 0.5, 2)),
    () => ({ inputs: [ints([12], -9, 9), list(pick(-2, 3))] }),
  ],
  Dropout: [
    () => ({ inputs: [floats(shape())] }),
    () => ({ inputs: [floats(shape())], attributes: { ratio: number(0.1, 0.9) }, opset: 10 }),
    () => ({ inputs: [floats(shape())], outputs: 2 }),
  ],
  Einsum: [
    () => ({
      inputs: [floats([2, 3, 4]), floats([2, 4, 5])],
      attributes: { equation: 'bij, bjk -> bik' },
    }),
    () => ({
      inputs: [floats([3, 4]), floats([5, 4])],
      attributes: { equation: pick('ij,kj->ik', 'ij,kj', 'ij,kj->ki') },
    }),
  ],
  Elu: activation(() => ({ alpha: number(0.5, 2) })),
  Equal: [...binary((of) => ints(of, 0, 2)), () => ({ inputs: [bools([4]), bools([4])] })],
  Erf: unary(),
  Exp: unary(),
  Expand: [
    () => ({ inputs: [floats([3, 1]), list(2, 1, 4)] }),
    () => ({ inputs: [ints([2, 3], 0, 9), list(1)] }),
  ],
  Flatten: [
    () => ({ inputs: [floats([2, 3, 4])] }),
    () => ({ inputs: [floats([2, 3, 4])], attributes: { axis: whole(-2, 3) } }),
  ],
  Floor: unary(),
  Gather: [
    () => ({ inputs: [floats([3, 4, 2]), ints([2, 2], -3, 2)], attributes: { axis: 0 } }),
    () => ({
      inputs: [constant(floats([5, 4])), ints([2, 3], 0, 3)],
      attributes: { axis: pick(1, -1) },
    }),
    () => ({ inputs: [floats([3, 4]), scalarInt(-1)], attributes: { axis: 1 } }),
    () => ({ inputs: [list(4, 5, 6), ints([2], 0, 2)] }),
  ],
  GatherElements: [
    () => ({ inputs: [floats([3, 4]), ints([2, 4], -3, 2)], attributes: { axis: 0 } }),
    () => ({ inputs: [floats([3, 4]), ints([3, 2], 0, 3)], attributes: { axis: 1 } }),
  ],
  GatherND: [
    () => ({ inputs: [floats([3, 4, 2]), ints([5, 2], -3, 2)] }),
    () => ({ inputs: [floats([3, 4]), ints([2, 2, 1], 0, 2)] }),
  ],
  Gelu: [
    () => ({ inputs: [floats(shape(), -4, 4)], attributes: { approximate: pick('none', 'tanh') } }),
    () => ({ inputs: [floats(shape())] }),
  ],
  Gemm: [
    () => {
      const [transA, transB] = [whole(0, 1), whole(0, 1)]
      return {
        inputs: [
          floats(transA ? [4, 3] : [3, 4]),
          constant(floats(transB ? [5, 4] : [4, 5])),
          pick<Operand>(
            undefined,
            constant(floats([5])),
            floats([3, 5]),
            floats([3, 1]),
            floats([]),
          ),
        ],
        attributes: { transA, transB, alpha: number(0.5, 2), beta: number(0.5, 2) },
      }
    },
    () => ({ inputs: [floats([3, 4]), floats([4, 2])] }),
  ],
  GlobalAveragePool: globally,
  GlobalMaxPool: globally,
  Greater: binary(),
  GreaterOrEqual: binary((of) => ints(of, 0, 3)),
  GroupNormalization: [
    () => ({
      inputs: [images(4), constant(floats([4])), constant(floats([4]))],
      attributes: { num_groups: pick(1, 2, 4), epsilon: number(1e-5, 0.1) },
    }),
  ],
  HardSigmoid: activation(() => ({ alpha: number(0.1, 1), beta: number(0, 1) })),
  HardSwish: activation(),
  Hardmax: softmax,
  Identity: [() => ({ inputs: [pick(floats(shape()), ints([3], 0, 9), bools([2]))] })],
  InstanceNormalization: [
    () => ({
      inputs: [images(), constant(floats([3])), constant(floats([3]))],
      attributes: { epsilon: number(1e-5, 0.1) },
    }),
  ],
  IsInf: [
    () => ({
      inputs: [{ type: 'float32', shape: [4], data: [1, Infinity, -Infinity, NaN] }],
      attributes: { detect_negative: whole(0, 1), detect_positive: whole(0, 1) },
    }),
  ],
  IsNaN: [() => ({ inputs: [{ type: 'float32', shape: [3], data: [1, NaN, Infinity] }] })],
  LRN: [
    () => ({
      inputs: [floats([2, 5, 3, 3])],
      attributes: {
        size: pick(1, 3, 5),
        alpha: number(0.01, 0.5),
        beta: number(0.3, 1),
        bias: number(0.5, 2),
      },
    }),
  ],
  LayerNormalization: [
    () => {
      const axis = pick(-1, -2, 1)
      const tail = [2, 3, 4].slice(axis)
      return {
        inputs: [
          floats([2, 3, 4]),
          constant(floats(tail)),
          pick<Operand>(undefined, constant(floats(tail))),
        ],
        attributes: { axis, epsilon: number(1e-5, 0.1) },
      }
    },
  ],
  LeakyRelu: activation(() => ({ alpha: number(0.01, 0.5) })),
  Less: binary(),
  LessOrEqual: binary((of) => ints(of, 0, 3)),
  Log: unary(0.1, 4),
  LogSoftmax: softmax,
  LpNormalization: [
    () => ({ inputs: [floats([2, 3, 4])], attributes: { axis: whole(-3, 2), p: pick(1, 2) } }),
  ],
  MatMul: [
    () => ({ inputs: [floats([3, 4]), constant(floats([4, 2]))] }),
    () => ({ inputs: [floats([2, 1, 3, 4]), floats([3, 4, 2])] }),
    () => ({
      inputs: pick(
        [floats([4]), floats([2, 4, 3])],
        [floats([2, 3, 4]), floats([4])],
        [floats([4]), floats([4])],
      ),
    }),
  ],
  Max: [...binary(), () => ({ inputs: [floats([2, 3]), floats([3]), floats([2, 1])] })],
  MaxPool: pool(false),
  Mean: [() => ({ inputs: [floats([2, 3]), floats([3]), floats([2, 1])] })],
  MeanVarianceNormalization: [
    () => ({ inputs: [floats([2, 3, 4, 2])], attributes: { axes: pick([0, 2, 3], [1], [2, 3]) } }),
  ],
  Min: [...binary(), () => ({ inputs: [floats([2, 3])] })],
  Mish: activation(),
  Mod: [
    () => ({ inputs: [ints([9], -9, 9), list(pick(-4, 4))] }),
    () => ({ inputs: [floats([9], -9, 9), scalar(pick(-2.5, 2.5))], attributes: { fmod: 1 } }),
  ],
  Mul: binary(),
  Neg: [...unary(), () => ({ inputs: [ints(shape(), -5, 5)] })],
  NonZero: [() => ({ inputs: [pick(bools([3, 4]), ints([2, 2, 2], 0, 1))] })],
  Not: [() => ({ inputs: [bools(shape())] })],
  OneHot: [
    () => ({
      inputs: [ints([2, 3], -5, 5), scalarInt(4), constant(floats([2]))],
      attributes: { axis: whole(-3, 2) },
    }),
    () => ({ inputs: [ints([4], 0, 3), list(3), list(0, 1)] }),
  ],
  Or: binary(bools),
  PRelu: [
    () => {
      const x = images()
      const slope = floats([3, ...x.shape.slice(2).map(() => 1)], -0.5, 0.5)
      return { inputs: [x, pick<Operand>(constant(slope), slope, constant(floats([1])))] }
    },
  ],
  Pad: [
    () => ({
      inputs: [floats([2, 3, 4]), list(0, 1, 2, 1, 0, 1), pick<Operand>(undefined, scalar(1.5))],
    }),
    () => ({
      inputs: [floats([3, 4]), list(1, 2, 2, 1)],
      attributes: { mode: pick('reflect', 'edge') },
    }),
    () => ({ inputs: [floats([3, 4]), list(-1, 0, 0, -2)] }),
    () => ({ inputs: [floats([3, 4]), list(1, 2), undefined, list(-1)] }),
    () => ({
      inputs: [floats([3, 4])],
      attributes: { pads: [0, 1, 2, 0], value: number(0, 1) },
      opset: 10,
    }),
  ],
  Pow: [
    ...binary((of) => floats(of, 0.5, 2)),
    () => ({ inputs: [floats(shape()), scalar(pick(2, 3))] }),
    () => ({ inputs: [ints([4], -3, 3), list(pick(2, 3))] }),
  ],
  RMSNormalization: [
    () => ({
      inputs: [floats([2, 3, 4]), constant(floats([4]))],
      attributes: { epsilon: number(1e-5, 0.1) },
      opset: 23,
    }),
  ],
  Range: [
    () => ({ inputs: [scalarInt(1), scalarInt(whole(-2, 9)), scalarInt(2)] }),
    () => ({ inputs: [scalar(1), scalar(-2), scalar(-0.5)] }),
  ],
  Reciprocal: unary(0.5, 2),
  ReduceL1: reduction(),
  ReduceL2: reduction(),
  ReduceLogSum: reduction(0.1),
  ReduceLogSumExp: reduction(),
  ReduceMax: reduction(),
  ReduceMean: reduction(),
  ReduceMin: reduction(),
  ReduceProd: reduction(),
  ReduceSum: [
    ...reduction(),
    () => ({ inputs: [ints([2, 3], -5, 5), list(1)] }),
    () => ({ inputs: [floats([2, 3])], attributes: { axes: [-1] }, opset: 12 }),
  ],
  ReduceSumSquare: reduction(),
  Relu: activation(),
  Reshape: [
    () => ({ inputs: [floats([2, 3, 4]), list(...pick([0, -1], [-1], [4, 0, 2], [6, 4]))] }),
    () => ({ inputs: [floats([0, 3]), list(3, 0)], attributes: { allowzero: 1 } }),
  ],
  Resize: resize(false),
  Round: [
    ...unary(),
    () => ({ inputs: [{ type: 'float32', shape: [4], data: [0.5, 1.5, -0.5, -2.5] }] }),
  ],
  ScatterElements: [
    () => ({
      inputs: [
        floats([3, 4]),
        constant({ type: 'int64', shape: [2, 3], data: [0, 2, 1, -1, 0, 2] }),
        floats([2, 3]),
      ],
      attributes: { axis: 0 },
    }),
    () => ({
      inputs: [floats([3, 4]), ints([3, 3], 0, 3), floats([3, 3])],
      attributes: { axis: 1, reduction: 'add' },
    }),
  ],
  Selu: activation(() => ({ alpha: number(1, 2), gamma: number(1, 2) })),
  Shape: [
    () => ({ inputs: [floats(shape())] }),
    () => ({ inputs: [floats([2, 3, 4])], attributes: { start: whole(-2, 1), end: whole(1, 4) } }),
  ],
  Shrink: activation(() => ({ lambd: number(0.1, 1), bias: number(0, 0.5) })),
  Sigmoid: activation(),
  Sign: unary(),
  Sin: unary(),
  Size: [() => ({ inputs: [floats(shape())] })],
  Slice: [
    () => ({ inputs: [floats([4, 5]), list(1), list(pick(3, -1, 2 ** 63)), list(whole(0, 1))] }),
    () => ({
      inputs: [floats([4, 5]), list(-1, 0), list(-(2 ** 63), 5), list(0, 1), list(-1, 2)],
    }),
    () => ({
      inputs: [
        ints([6], 0, 9),
        list(whole(-6, 6)),
        list(whole(-9, 9)),
        undefined,
        list(pick(1, 2, -1, -2)),
      ],
    }),
    () => ({
      inputs: [floats([4, 5])],
      attributes: { starts: [1, -3], ends: [3, 9], axes: [0, 1] },
      opset: 9,
    }),
  ],
  Softmax: softmax,
  Softplus: activation(),
  Softsign: activation(),
  SpaceToDepth: [() => ({ inputs: [floats([2, 3, 4, 6])], attributes: { blocksize: 2 } })],
  Split: [
    () => ({ inputs: [floats([2, 6]), list(1, 5)], attributes: { axis: pick(1, -1) }, outputs: 2 }),
    () => ({ inputs: [floats([7, 2])], attributes: { num_outputs: 4 }, outputs: 4 }),
    () => ({ inputs: [floats([6, 2])], outputs: 3, opset: 13 }),
    () => ({ inputs: [floats([6, 2])], attributes: { split: [4, 2] }, outputs: 2, opset: 11 }),
  ],
  Sqrt: unary(0, 4),
  Squeeze: [
    () => ({ inputs: [floats([1, 3, 1, 2])] }),
    () => ({ inputs: [floats([1, 3, 1, 2]), list(pick(0, 2, -2))] }),
    () => ({ inputs: [floats([1, 3, 1, 2])], attributes: { axes: [0, 2] }, opset: 11 }),
  ],
  Sub: binary(),
  Sum: [() => ({ inputs: [floats([2, 3]), floats([3]), floats([2, 1])] })],
  Swish: activation(() => ({ alpha: number(0.5, 2) }), 24),
  Tan: unary(-1, 1),
  Tanh: activation(),
  ThresholdedRelu: activation(() => ({ alpha: number(-1, 1) })),
  Tile: [() => ({ inputs: [floats([2, 3]), list(whole(1, 3), whole(1, 3))] })],
  TopK: [
    () => ({
      inputs: [floats([3, 5]), list(whole(1, 3))],
      attributes: { axis: pick(-1, 0), largest: whole(0, 1) },
      outputs: 2,
    }),
    () => ({ inputs: [floats([3, 5])], attributes: { k: 2 }, outputs: 2, opset: 9 }),
  ],
  Transpose: [
    () => ({ inputs: [floats([2, 3, 4])] }),
    () => ({
      inputs: [floats([2, 3, 4])],
      attributes: { perm: pick([1, 0, 2], [2, 0, 1], [0, 2, 1]) },
    }),
  ],
  Trilu: [
    () => ({ inputs: [floats([2, 3, 4])], attributes: { upper: whole(0, 1) } }),
    () => ({ inputs: [floats([4, 4]), scalarInt(whole(-2, 2))] }),
  ],
  Unsqueeze: [
    () => ({ inputs: [floats([3, 4]), list(...pick([0], [-1], [0, 2], [3, 1]))] }),
    () => ({ inputs: [floats([3, 4])], attributes: { axes: pick([1], [0, 3]) }, opset: 11 }),
  ],
  Upsample: resize(true),
  Where: [
    () => ({ inputs: [bools([3, 4]), floats([4]), constant(floats([3, 1]))] }),
    () => ({ inputs: [bools([3]), ints([3], 0, 9), list(7)] }),
  ],
  Xor: binary(bools),
}
