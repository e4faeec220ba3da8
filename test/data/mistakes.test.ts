/** Mistakes with data: each is an error that says what to do. */
import {
  ArgumentError,
  DataLoader,
  dataset,
  ReleasedTensorError,
  ShapeError,
  split,
} from '../../lib/index.js'
import { mistakes } from '../support/mistakes.js'
import { wrong } from '../support/reference.js'

const rows = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]
const xor = dataset({ name: 'xor', inputs: rows, targets: [0, 1, 1, 0] })
const labelled = (targets: unknown, more = {}) =>
  dataset({ inputs: rows, targets, ...more } as never)
mistakes([
  [
    'no data',
    () => dataset({ inputs: [], targets: [] }),
    ShapeError,
    /at least one example, got none/,
  ],
  [
    'booleans',
    () => labelled([true, false, true, false]),
    ArgumentError,
    /got true at row 0; targets\.map\(Number\)/,
  ],
  [
    'nulls',
    () => labelled([1, null, 0, 1]),
    ArgumentError,
    /got null at row 1; leave out the examples/,
  ],
  ['null at first', () => labelled([null, 1, 0, 1]), ArgumentError, /got null at row 0; leave out/],
  ['a hole', () => labelled([0, 1, undefined, 1]), ArgumentError, /got undefined at row 2$/],
  [
    'names',
    () => labelled(['a', 'b', 'a', 'b']),
    ArgumentError,
    /got 'a' at row 0; .*classes\.indexOf/,
  ],
  [
    'fractions',
    () => labelled([0.5, 1, 2, 3]),
    ArgumentError,
    /\(values to predict: task: 'regress'\), got 0\.5 at row 0$/,
  ],
  [
    'other task',
    () => labelled([0, 1, 0, 1], { task: 'regression' }),
    ArgumentError,
    /task classify or regress, got 'regression'$/,
  ],
  [
    'rows to classify',
    () => labelled(rows, { task: 'classify' }),
    ArgumentError,
    /a label for each example to classify, got/,
  ],
  [
    'batches kept',
    () => [...new DataLoader(xor)][0].inputs.data(),
    ReleasedTensorError,
    /^tensor \[4, 2\]: a batch can be used until the next one is taken; inside the loop, clone\(\) keeps/,
  ],
  [
    'targets kept',
    () => [...new DataLoader(xor)][0].targets.data(),
    ReleasedTensorError,
    /clone\(\) keeps/,
  ],
  [
    'X, y',
    () => dataset(wrong(rows)),
    ArgumentError,
    /^dataset: expected one object of options \(.*inputs, .*targets.* got an array$/,
  ],
  [
    'nothing',
    () => dataset(wrong(undefined)),
    ArgumentError,
    /^dataset: expected one object of options .* got undefined$/,
  ],
  [
    'names of Python',
    () => dataset(wrong({ X: rows, y: [0] })),
    ArgumentError,
    /^dataset: expected options among .*inputs.* got X$/,
  ],
  [
    'no targets',
    () => dataset(wrong({ inputs: rows })),
    ArgumentError,
    /expected targets as rows .* got undefined$/,
  ],
  [
    'a list of inputs',
    () => dataset(wrong({ inputs: [1, 2], targets: [0, 1] })),
    ArgumentError,
    /expected rows in inputs, got \[1, 2\]$/,
  ],
  [
    'arrays to split',
    () => split(wrong(rows), 0.25, 1),
    ArgumentError,
    /^split: expected a data set, as dataset\(\) makes/,
  ],
  [
    'arrays to load',
    () => new DataLoader(wrong(rows)),
    ArgumentError,
    /^DataLoader: expected a data set, as dataset\(\) makes/,
  ],
  [
    'nothing to load',
    () => new DataLoader(wrong(undefined)),
    ArgumentError,
    /^DataLoader: expected a data set.* got undefined$/,
  ],
])
