/** scikit-learn's perceptron for classes. */

import {
  ArgumentError,
  binaryCrossEntropyWithLogits,
  type Loss,
  ShapeError,
  scope,
  softmaxCrossEntropy,
  type TargetKind,
  tensor,
} from '../../index.js'
import { excerpt, type Rows, type Values } from '../../internal.js'
import type { Encoded } from './encoded.js'
import { type Label, type Labels, readLabels } from './labels.js'
import { Perceptron, type Use } from './perceptron.js'

/**
 * Multi-layer perceptron that predicts classes, by cross-entropy: softmax outputs, or for one or two
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

  /** `logistic` for one or two classes, else `softmax`. */
  get outActivation(): 'softmax' | 'logistic' {
    return this.nOutputs === 1 ? 'logistic' : 'softmax'
  }

  /** The most probable class of each row. */
  predict(X: Rows): L[] {
    const { values, shape } = this.finiteOutputs(X)
    return this.#positions({ values, shape }).map((position) => this.#classes[position])
  }

  /**
   * Of each row, the probability of every class, in the order of `classes`. For a single class there are
   * two numbers all the same, as in scikit-learn: the first is the probability of the class.
   */
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
    this.refuseTraining()
    if (classes !== undefined) {
      const found = sorted(this.#list(classes, 'score'))
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

  protected override encode(y: Labels<L>, examples: number, use: Use): Encoded {
    const labels = this.#list(y, use)
    if (labels.length !== examples) {
      throw new ShapeError(
        `MLPClassifier: expected a label for each of ${examples} examples, got ${labels.length}`,
      )
    }
    const learns = use === 'begin' && !this.#isPartial
    const classes = learns ? sorted(labels) : this.#classes
    if (!learns) this.#checkKnown(labels, use)
    const position = new Map(classes.map((label, i) => [label, i]))
    const kinds = Int32Array.from(labels, (label) => position.get(label) ?? UNKNOWN)
    return classes.length <= 2
      ? { targets: Float32Array.from(kinds), outputs: 1, kinds, classes }
      : { targets: kinds, outputs: classes.length, kinds, classes }
  }

  protected override learn({ classes }: Encoded): void {
    this.#classes = classes as readonly L[]
  }

  /** Refuses labels that do not belong to the classes; where they are scored, some may be none of them. */
  #checkKnown(labels: readonly L[], use: Use): void {
    const known = new Set(this.#classes)
    const [kind] = this.#classes.map((label) => typeof label)
    if (kind !== undefined && typeof labels[0] !== kind) {
      throw new ArgumentError(
        `MLPClassifier: expected labels that are ${kind}s as in training, got ${excerpt(labels[0])}`,
      )
    }
    if (use === 'score') return
    const unknown = labels.find((label) => !known.has(label))
    if (unknown !== undefined) {
      throw new ArgumentError(
        `MLPClassifier: expected the classes ${show(this.#classes)}, got ${unknown}`,
      )
    }
    const found = new Set(labels)
    if (!this.#isPartial && found.size < known.size) {
      throw new ArgumentError(
        `MLPClassifier: warmStart expected all the classes of the last fit, ${show(this.#classes)}, got ${show(sorted(labels))}`,
      )
    }
  }

  protected override lossFor(outputs: number): { loss: Loss<TargetKind>; gradientScale: number } {
    const loss = outputs === 1 ? binaryCrossEntropyWithLogits : softmaxCrossEntropy
    return { loss, gradientScale: 1 }
  }

  protected override scoreOf(outputs: Values, targets: Encoded['targets']): number {
    const hits = this.#positions(outputs).filter((position, i) => position === targets[i])
    return hits.length / targets.length
  }

  /** Of each row, the position of the most probable class; a single class is always it. */
  #positions({ values, shape }: Values): number[] {
    const positions = predictedClasses(values, shape[1])
    return this.#classes.length === 1 ? positions.fill(0) : positions
  }

  #list(y: Labels<L>, use: Use): readonly L[] {
    const { labels, isColumn } = readLabels(y)
    if (isColumn && use !== 'score') this.warnOfColumn()
    return labels
  }

  #probabilities({ values, shape }: Values, isLog: boolean): number[][] {
    return scope(() => {
      const logits = tensor(values, shape)
      // A logistic output is the softmax of 0 and its logit.
      const both = shape[1] === 1 ? logits.matmul(tensor([[0, 1]])) : logits
      return (isLog ? both.logSoftmax() : both.softmax()).toArray(2)
    })
  }
}

/** The position of a label that was not there in training: no prediction hits it. */
const UNKNOWN = -1

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
