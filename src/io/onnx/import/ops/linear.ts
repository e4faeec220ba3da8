/** Linear models of ai.onnx.ml, as skl2onnx writes linear and logistic regressions. */
import { DataError } from '../../../../base/errors.js'
import type { Call, Operators } from '../call.js'
import { toValue } from '../constant.js'
import type { Node } from '../node.js'
import { Value } from '../value.js'
import { floats, lookUp } from './elementwise.js'
import { list, listOf } from './ml.js'

/** x·coefficientsᵀ + intercepts: a column for each class or target. */
function scoresOf(call: Call, columns: number): Value {
  const { node } = call
  const x = call.input(0)
  const values = node.numbers('coefficients')
  const features = values.length / columns
  if (x.rank !== 2 || x.shape[1] !== features) {
    throw new DataError(`expected rows of ${features} features, got [${x.shape.join(', ')}]`)
  }
  const coefficients = toValue({ kind: 'float', shape: [columns, features], values })
  const intercepts = toValue(list('float', node.numbers('intercepts', Array(columns).fill(0))))
  const product = floats(x.device).matmul(coefficients.device, { transB: true })
  return new Value('float', product.add(intercepts.device))
}

/** What is done to scores in the end. */
const transforms: Readonly<Record<string, (scores: Value) => Value>> = {
  NONE: (scores) => scores,
  LOGISTIC: (scores) => new Value('float', scores.device.sigmoid()),
  SOFTMAX: (scores) => new Value('float', scores.device.softmax()),
}

const transformOf = (node: Node) => node.text('post_transform', 'NONE')

const refuseTransform = (node: Node): string | undefined =>
  transformOf(node) in transforms ? undefined : `post_transform ${transformOf(node)}`

/** The class of the highest score, by its label, and the scores of all. */
function classify(call: Call): Value[] {
  const labels = listOf(call.node, 'classlabels')
  if (labels === undefined) throw new DataError('expected labels of classes, got none')
  const scores = scoresOf(call, labels.values.length)
  const best = new Value('int', scores.device.argmax(-1))
  return [lookUp(toValue(labels), best), transforms[transformOf(call.node)](scores)]
}

function regress(call: Call): Value {
  const scores = scoresOf(call, call.node.number('targets', 1))
  return transforms[transformOf(call.node)](scores)
}

export const linear: Operators = {
  'ai.onnx.ml.LinearClassifier': {
    // How many classes there are says enough of what multi_class says.
    attributes: [
      'classlabels_ints',
      'classlabels_strings',
      'coefficients',
      'intercepts',
      'multi_class',
      'post_transform',
    ],
    outputs: 2,
    refuse: (node) =>
      refuseTransform(node) ??
      (node.numbers('intercepts', []).length === 1 ? 'scores of one of two classes' : undefined),
    run: classify,
  },
  'ai.onnx.ml.LinearRegressor': {
    attributes: ['coefficients', 'intercepts', 'post_transform', 'targets'],
    refuse: refuseTransform,
    run: regress,
  },
}
