/** Operators of ai.onnx.ml, as skl2onnx writes them: what stands before and behind a network. */
import { ArgumentError, DataError, excerpt } from '../../../../base/errors.js'
import { where } from '../../../../ops/elementwise.js'
import { concat } from '../../../../ops/layout.js'
import { fullLike } from '../../../../tensor/allocate.js'
import type { AnyTensor } from '../../../../tensor/tensor.js'
import type { Call, Operators } from '../call.js'
import { type Constant, encodeTexts, toValue } from '../constant.js'
import type { Node } from '../node.js'
import { checkConstant, compute, pointwise, Value } from '../value.js'
import { floats, lookUp } from './elementwise.js'

export const list = (kind: 'float' | 'int', values: readonly number[]): Constant => ({
  kind,
  shape: [values.length],
  values,
})

const texts = (values: readonly string[]): Constant => ({
  kind: 'text',
  shape: [values.length],
  ...encodeTexts(values),
})

/** A list that is a setting of numbers or of texts, by what its name ends with. */
export function listOf(node: Node, name: string): Constant | undefined {
  if (node.has(`${name}_strings`)) return texts(node.texts(`${name}_strings`))
  const ints = ['int64s', 'ints'].map((of) => `${name}_${of}`).find((of) => node.has(of))
  if (ints !== undefined) return list('int', node.numbers(ints))
  if (node.has(`${name}_floats`)) return list('float', node.numbers(`${name}_floats`))
  return node.has(`${name}_tensor`) ? node.constant(`${name}_tensor`) : undefined
}

function scale(call: Call): Value {
  const [offset, factor] = ['offset', 'scale'].map((name, i) =>
    toValue(list('float', call.node.numbers(name, [i]))),
  )
  return pointwise('float', [call.input(0), offset, factor], (x, a, b) => floats(x).sub(a).mul(b))
}

function normalize(call: Call): Value {
  const kind = call.node.text('norm', 'MAX')
  const x = call.input(0)
  return new Value(
    'float',
    compute([x], (given) => {
      const a = floats(given)
      const norm =
        kind === 'L2'
          ? a.norm([-1], true)
          : kind === 'L1'
            ? a.abs().sum([-1], true)
            : a.max([-1], true)
      // Of nothing but zeros there is nothing to divide.
      return a.div(norm.add(norm.equal(0)))
    }),
  )
}

/** What is missing, replaced: NaN, or a number that stands for it. */
function impute(call: Call): Value {
  const { node } = call
  const x = call.input(0)
  const isWhole = node.has('imputed_value_int64s')
  const values = isWhole
    ? node.numbers('imputed_value_int64s')
    : node.numbers('imputed_value_floats')
  const missing = isWhole
    ? node.number('replaced_value_int64', 0)
    : node.number('replaced_value_float', 0)
  const fill = toValue(list(isWhole ? 'int' : 'float', values))
  return pointwise(x.kind, [x, fill], (a, b) =>
    where(Number.isNaN(missing) ? a.isNaN() : a.equal(missing), b, a),
  )
}

/** Positions in a list of keys; one beyond the last for what is none of them. */
function positionsOf(x: Value, keys: Constant): Value {
  if (x.kind === 'text') {
    const places = x.vocabulary!.map((text) => {
      const code = keys.vocabulary?.indexOf(text) ?? -1
      const place = Array.prototype.indexOf.call(keys.values, code)
      return place < 0 ? keys.values.length : place
    })
    return lookUp(toValue(list('int', places)), x)
  }
  const known = toValue(keys)
  checkConstant([...x.shape, known.size], [x])
  const y = compute([x, known], (a, b) => {
    const hits = a.unsqueeze(-1).equal(b.cast(a.dtype))
    // Where no key is hit, this is the largest.
    const none = fullLike(hits, 0.5, [...a.shape, 1])
    return concat([hits, none], a.shape.length).argmax(-1)
  })
  return new Value('int', y)
}

const ENCODER_DEFAULTS = { text: '_Unused', int: -1, float: -0 }

function encode(call: Call): Value {
  const { node } = call
  const x = call.input(0)
  if (node.has('classes_strings')) return encodeClasses(call, x)
  const [keys, values] = [listOf(node, 'keys'), listOf(node, 'values')]
  if (keys === undefined || values === undefined)
    throw new DataError('expected keys and values, got none')
  return lookUp(toValue(withDefault(node, values)), positionsOf(x, keys))
}

/** With what stands for anything that is no key. */
function withDefault(node: Node, values: Constant): Constant {
  if (values.kind === 'text') {
    const all = Array.from(values.values, (code) => values.vocabulary![code])
    const unknown = node.has('default_tensor')
      ? node.constant('default_tensor').vocabulary![0]
      : node.text('default_string', ENCODER_DEFAULTS.text)
    return texts([...all, unknown])
  }
  const kind = values.kind === 'int' ? 'int' : 'float'
  const name = kind === 'int' ? 'default_int64' : 'default_float'
  const unknown = node.has('default_tensor')
    ? node.constant('default_tensor').values[0]
    : node.number(name, ENCODER_DEFAULTS[kind])
  return list(kind, [...Array.from(values.values), unknown])
}

/** As the first version had it: text to its position, positions to text. */
function encodeClasses({ node }: Call, x: Value): Value {
  const classes = node.texts('classes_strings')
  const unknown = node.text('default_string', ENCODER_DEFAULTS.text)
  if (x.kind !== 'text') {
    const order = list(
      'int',
      classes.map((_, i) => i),
    )
    return lookUp(toValue(texts([...classes, unknown])), positionsOf(x, order))
  }
  const order = [...classes.keys(), node.number('default_int64', ENCODER_DEFAULTS.int)]
  return lookUp(toValue(list('int', order)), positionsOf(x, texts(classes)))
}

/** A row of a 1 among zeros for each category; nothing but zeros for what is none, where that is allowed. */
function encodeOneHot(call: Call): Value {
  const categories = listOf(call.node, 'cats')
  if (categories === undefined)
    throw new DataError('expected cats_int64s or cats_strings, got none')
  const x = call.input(0)
  const positions = positionsOf(x, categories)
  const count = categories.values.length
  checkConstant([...x.shape, count], [x])
  if (!call.node.flag('zeros', true)) refuseUnknown(x, positions, count)
  const places = toValue(
    list(
      'int',
      Array.from({ length: count }, (_, i) => i),
    ),
  )
  const y = compute([positions, places], (a, b) => a.unsqueeze(-1).equal(b))
  return new Value('float', y)
}

/** What a batch holds is only read where nothing is captured. */
function refuseUnknown(x: Value, positions: Value, count: number): void {
  const unknown = positions.numbers('a category').indexOf(count)
  if (unknown < 0) return
  const found = x.kind === 'text' ? x.texts[unknown] : x.numbers('a category')[unknown]
  throw new ArgumentError(`expected one of ${count} known categories, got ${excerpt(found)}`)
}

/** The features that a list names, which are the last axis. */
function extract(call: Call): Value {
  const [x, indices] = [call.input(0), call.input(1)]
  const y = compute([x, indices], (a, i) => {
    const rows = a.shape.length < 2 ? a.reshape([1, a.size]) : a
    return rows.indexSelect(-1, i.cast('int32').reshape([i.size]))
  })
  return x.with(y)
}

/** Columns beside each other. */
function join(call: Call): Value {
  const columns = call.all
  const rows = (x: AnyTensor): AnyTensor => (x.shape.length < 2 ? x.reshape([1, x.size]) : x)
  return new Value(
    'float',
    compute(columns, (...all) =>
      concat(
        all.map((x) => floats(rows(x))),
        1,
      ),
    ),
  )
}

const KEYS = ['floats', 'int64s', 'strings', 'tensor']

export const ml: Operators = {
  'ai.onnx.ml.ArrayFeatureExtractor': { run: extract },
  'ai.onnx.ml.Binarizer': {
    attributes: ['threshold'],
    run: (call) =>
      pointwise('float', [call.input(0)], (x) =>
        floats(x).greater(call.node.number('threshold', 0)),
      ),
  },
  'ai.onnx.ml.FeatureVectorizer': { attributes: ['inputdimensions'], run: join },
  'ai.onnx.ml.Imputer': {
    attributes: [
      'imputed_value_floats',
      'imputed_value_int64s',
      'replaced_value_float',
      'replaced_value_int64',
    ],
    run: impute,
  },
  'ai.onnx.ml.LabelEncoder': {
    attributes: [
      'classes_strings',
      ...KEYS.flatMap((of) => [`keys_${of}`, `values_${of}`]),
      'default_float',
      'default_int64',
      'default_string',
      'default_tensor',
    ],
    run: encode,
  },
  'ai.onnx.ml.Normalizer': { attributes: ['norm'], run: normalize },
  'ai.onnx.ml.OneHotEncoder': {
    attributes: ['cats_int64s', 'cats_strings', 'zeros'],
    run: encodeOneHot,
  },
  'ai.onnx.ml.Scaler': { attributes: ['offset', 'scale'], run: scale },
  // Its tensor has a column for each class, in the order of their names; no maps are made of it.
  'ai.onnx.ml.ZipMap': {
    attributes: ['classlabels_int64s', 'classlabels_strings'],
    run: (call) => call.input(0),
  },
}
