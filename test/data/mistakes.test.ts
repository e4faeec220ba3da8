/** Mistakes with data: each is an error that says what to do. */
import {
  ArgumentError,
  DataLoader,
  dataset,
  ReleasedTensorError,
  ShapeError,
} from '../../lib/index.js'
import { mistakes } from '../support/mistakes.js'

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
])
