/** A model in a file to be served. */
import { Linear, Sequential, saveClassifier } from '../../lib/index.js'

const architecture = { units: [2, 3], activation: 'relu' } as const

/** Writes a classifier of two inputs that always finds this class. */
export function saveConstant(path: string, label: number, classes = ['a', 'b', 'c']): void {
  const layer = new Linear(2, 3)
  layer.bias?.assign([0, 1, 2].map((i) => (i === label ? 50 : 0)))
  const notes = { dataset: 'x', seed: 1, classes, preprocessing: { mean: [0], scale: [1] } }
  saveClassifier(new Sequential(layer), path, architecture, {
    ...notes,
    loss: 'cross-entropy',
    testAccuracy: 1,
  })
  layer.dispose()
}
