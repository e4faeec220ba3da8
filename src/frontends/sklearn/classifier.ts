/** scikit-learn's perceptron for classes. */

import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  type Loss,
  ShapeError,
  scope,
  softmaxCrossEntropy,
  Tensor,
  tensor,
} from '../../index.js'
import type { Rows, Values } from '../../internal.js'
import type { Encoded } from './encoded.js'
import { Perceptron } from './perceptron.js'

/** What a class is called. All labels of one data set are of one of these types. */
export type Label = string | number | boolean
/** @inline */
type Labels<L> = readonly L[] | ArrayLike<L> | Tensor<'int32'>

/**
 * Multi-layer perceptron that predicts classes, by cross-entropy: softmax outputs, or for two
 * classes a single logistic one. Attributes are scikit-learn's, without the underscore.
 * @example
 * const classifier = new MLPClassifier({ hiddenLayerSizes: [50], randomState: 1 })
 * await classifier.fit(X, ['cat', 'dog', …])
 * classifier.predict([[0.2, 1.5]]) // ['dog']
 */
export class MLPClassifier<L extends Label = Label> extends Perceptron<Labels<L>> {
  #classes: readonly L[] = []

  /** The classes in ascending order. */
  get classes(): readonly L[] {
    this.fitted // refuses before the first fit
    return this.#classes
  }

  /** `logistic` for two classes, else `softmax`. */
  get outActivation(): 'softmax' | 'logistic' {
    return this.nOutputs === 1 ? 'logistic' : 'softmax'
  }

  /** The most probable class of each row. */
  predict(X: Rows): L[] {
    const { values, shape } = this.finiteOutputs(X)
    return predictedClasses(values, shape[1]).map((position) => this.#classes[position])
  }

  /** Of each row, the probability of every class, in the order of `classes`. */
  predictProba(X: Rows): number[][] {
    return this.#probabilities(this.finiteOutputs(X), false)
  }

  /** The natural logarithms of `predictProba`, also where those are too small for it. */
  predictLogProba(X: Rows): number[][] {
    return this.#probabilities(this.finiteOutputs(X), true)
  }

  /**
   * One epoch more, from what the last call left.
   * @param classes all there will ever be; needed at the first call
   */
  async partialFit(X: Rows, y: Labels<L>, classes?: Labels<L>, ...rest: never[]): Promise<this> {
    if (classes !== undefined) {
      const found = sorted(this.#list(classes))
      if (this.isFitted && JSON.stringify(found) !== JSON.stringify(this.#classes)) {
        throw new ArgumentError(
          `MLPClassifier: expected the classes of the first call, ${show(this.#classes)}, got ${show(found)}`,
        )
      }
      this.#classes = found
    } else if (!this.isFitted) {
      throw new ArgumentError('MLPClassifier: expected classes at the first call of partialFit')
    }
    this.#isPartial = true
    try {
      await this.trainOnce(X, y, rest)
    } finally {
      this.#isPartial = false
    }
    return this
  }
  #isPartial = false

  protected override encode(y: Labels<L>, examples: number, isFirst: boolean): Encoded {
    const labels = this.#list(y)
    if (labels.length !== examples) {
      throw new ShapeError(
        `MLPClassifier: expected a label for each of ${examples} examples, got ${labels.length}`,
      )
    }
    const classes = isFirst && !this.#isPartial ? sorted(labels) : this.#classes
    const position = new Map(classes.map((label, i) => [label, i]))
    if (position.size < 2) {
      throw new ArgumentError(`MLPClassifier: expected at least 2 classes, got ${show(classes)}`)
    }
    const kinds = Int32Array.from(labels, (label) => position.get(label) ?? -1)
    const unknown = kinds.indexOf(-1)
    if (unknown >= 0) {
      throw new ArgumentError(
        `MLPClassifier: expected the classes ${show(classes)}, got ${labels[unknown]}`,
      )
    }
    this.#classes = classes
    return position.size === 2
      ? { targets: Float32Array.from(kinds), outputs: 1, kinds }
      : { targets: kinds, outputs: position.size, kinds }
  }

  protected override lossFor(outputs: number): { loss: Loss; gradientScale: number } {
    const loss = outputs === 1 ? binaryCrossEntropyWithLogits : softmaxCrossEntropy
    return { loss, gradientScale: 1 }
  }

  protected override scoreOf({ values, shape }: Values, targets: Encoded['targets']): number {
    const predicted = predictedClasses(values, shape[1])
    return predicted.filter((label, i) => label === targets[i]).length / shape[0]
  }

  #list(y: Labels<L>): readonly L[] {
    const labels = (y instanceof Tensor ? [...y.data()] : Array.from(y)) as L[]
    const kind = typeof labels[0]
    const wrong = labels.findIndex((label) => typeof label !== kind || Number.isNaN(label))
    if (wrong >= 0 || !['string', 'number', 'boolean', 'undefined'].includes(kind)) {
      throw new ArgumentError(
        `MLPClassifier: expected labels that are all strings, numbers or booleans, got ${typeof labels[Math.max(wrong, 0)]} at ${Math.max(wrong, 0)}`,
      )
    }
    return labels
  }

  #probabilities({ values, shape }: Values, isLog: boolean): number[][] {
    return scope(() => {
      const logits = tensor(values, shape)
      // A logistic output is the softmax of 0 and its logit.
      const both = shape[1] === 1 ? logits.matmul(tensor([[0, 1]])) : logits
      return (isLog ? both.logSoftmax() : both.softmax()).toArray() as number[][]
    })
  }
}

function sorted<L extends Label>(labels: readonly L[]): L[] {
  return [...new Set(labels)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function show(classes: readonly Label[]): string {
  return classes.length > 10
    ? `${classes.slice(0, 10).join(', ')}, …`
    : classes.join(', ') || 'none'
}

/** Positions of the largest outputs; of a single one, whether it is positive. */
function predictedClasses(values: Float32Array, outputs: number): number[] {
  const rows = Array.from({ length: values.length / outputs }, (_, row) => row * outputs)
  if (outputs === 1) return rows.map((at) => (values[at] > 0 ? 1 : 0))
  return rows.map((at) => {
    let best = 0
    for (let i = 1; i < outputs; i++) if (values[at + i] > values[at + best]) best = i
    return best
  })
}
