/** Parameters of scikit-learn's perceptrons, in camelCase, with its defaults and ranges. */

import { ArgumentError } from '../../index.js'
import { excerpt, optionsOf, refuseUnknown } from '../../internal.js'

/** Parameters of scikit-learn's perceptrons, in camelCase, with its defaults and ranges. */
export interface MLPParameters {
  /** Units of each hidden layer; [100] by default. */
  hiddenLayerSizes: number | readonly number[]
  /** Of the hidden units; 'relu' by default. */
  activation: 'identity' | 'logistic' | 'tanh' | 'relu'
  /** 'adam' by default. 'lbfgs' is not there. */
  solver: 'sgd' | 'adam'
  /** Strength of L2: alpha/2·Σ W² / n is added to the mean loss of a batch of n; 1e-4 by default. */
  alpha: number
  /** Examples per step; 'auto', the default, is min(200, n). */
  batchSize: number | 'auto'
  /**
   * For 'sgd': 'constant' by default; 'invscaling' is learningRateInit / (t + 1)^powerT after t
   * examples; 'adaptive' divides by 5 where training would otherwise stop, until it is below 1e-6.
   */
  learningRate: 'constant' | 'invscaling' | 'adaptive'
  /** 0.001 by default. */
  learningRateInit: number
  /** 0.5 by default. */
  powerT: number
  /** Largest number of epochs; 200 by default. */
  maxIter: number
  /** Whether each epoch has an order of its own; true by default. */
  shuffle: boolean
  /** Seed of weights, orders and the validation split; by default drawn after `setSeed`. */
  randomState: number | undefined
  /** The least gain that counts, of the loss or the validation score; 1e-4 by default. */
  tol: number
  /** Whether the loss of every epoch is printed; any number but 0 says yes. */
  verbose: boolean | number
  /** Whether `fit` goes on from the last fit's weights. */
  warmStart: boolean
  /** For 'sgd', from 0 to 1; 0.9 by default. */
  momentum: number
  /** For 'sgd' with momentum; true by default. */
  nesterovsMomentum: boolean
  /** Whether examples are set aside to stop by and the best weights are kept; false by default. */
  earlyStopping: boolean
  /** Their share; 0.1 by default. For classes, each gives its share. */
  validationFraction: number
  /** For 'adam', from 0 to below 1; 0.9 by default. */
  beta1: number
  /** For 'adam', from 0 to below 1; 0.999 by default. */
  beta2: number
  /** For 'adam', > 0; 1e-8 by default. */
  epsilon: number
  /** Epochs without gain that are borne; 10 by default. May be Infinity. */
  nIterNoChange: number
}

const defaults: MLPParameters = {
  hiddenLayerSizes: Object.freeze([100]),
  activation: 'relu',
  solver: 'adam',
  alpha: 1e-4,
  batchSize: 'auto',
  learningRate: 'constant',
  learningRateInit: 0.001,
  powerT: 0.5,
  maxIter: 200,
  shuffle: true,
  randomState: undefined,
  tol: 1e-4,
  verbose: false,
  warmStart: false,
  momentum: 0.9,
  nesterovsMomentum: true,
  earlyStopping: false,
  validationFraction: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  nIterNoChange: 10,
}

type Check = readonly [isRight: (value: never) => boolean, expected: string]

const isWhole = (value: unknown) => Number.isSafeInteger(value)
const oneOf = (...names: string[]): Check => [
  (value: string) => names.includes(value),
  `one of ${names.join(', ')}`,
]
const number = (isRight: (value: number) => boolean, expected: string): Check => [
  (value: unknown) => typeof value === 'number' && isRight(value),
  expected,
]
const flag: Check = [(value: unknown) => typeof value === 'boolean', 'true or false']
const atLeast1 = number((value) => isWhole(value) && value >= 1, 'a whole number >= 1')
const notNegative = number((value) => value >= 0 && value < Infinity, 'a number >= 0')
const positive = number((value) => value > 0 && value < Infinity, 'a number > 0')
const below1 = number((value) => value >= 0 && value < 1, 'a number from 0 to below 1')

const checks: Record<keyof MLPParameters, Check> = {
  hiddenLayerSizes: [
    (value: unknown) => [value].flat().every((units) => isWhole(units) && (units as number) >= 1),
    'whole numbers >= 1',
  ],
  activation: oneOf('identity', 'logistic', 'tanh', 'relu'),
  solver: oneOf('sgd', 'adam'),
  alpha: notNegative,
  batchSize: [
    (value: unknown) => value === 'auto' || (isWhole(value) && (value as number) >= 1),
    "'auto' or a whole number >= 1",
  ],
  learningRate: oneOf('constant', 'invscaling', 'adaptive'),
  learningRateInit: positive,
  powerT: notNegative,
  maxIter: atLeast1,
  shuffle: flag,
  randomState: [
    (value: unknown) => value === undefined || (isWhole(value) && (value as number) >= 0),
    'a whole number >= 0',
  ],
  tol: notNegative,
  verbose: [
    (value: unknown) => typeof value === 'boolean' || (isWhole(value) && (value as number) >= 0),
    'true, false or a whole number >= 0',
  ],
  warmStart: flag,
  momentum: number((value) => value >= 0 && value <= 1, 'a number from 0 to 1'),
  nesterovsMomentum: flag,
  earlyStopping: flag,
  validationFraction: below1,
  beta1: below1,
  beta2: below1,
  epsilon: positive,
  nIterNoChange: number(
    (value) => value === Infinity || (isWhole(value) && value >= 1),
    'a whole number >= 1 or Infinity',
  ),
}

const PARAMETERS = Object.fromEntries(Object.keys(defaults).map((name) => [name, true])) as Record<
  keyof MLPParameters,
  true
>

/**
 * The parameters with the defaults filled in. They are checked whenever one is written.
 * @throws ArgumentError for one that does not exist or is out of range, also later
 */
export function parametersOf(estimator: string, given: Partial<MLPParameters>): MLPParameters {
  const refuse = () => {
    throw new ArgumentError(`${estimator}: expected params to be changed by assigning to them`)
  }
  const parameters = new Proxy(
    { ...defaults },
    {
      set: (target, name, value) =>
        Object.assign(target, { [name]: checked(estimator, String(name), value) }) !== undefined,
      defineProperty: refuse,
      deleteProperty: refuse,
    },
  )
  for (const [name, value] of Object.entries(optionsOf(estimator, given, PARAMETERS))) {
    if (value !== undefined) Object.assign(parameters, { [name]: value })
  }
  return parameters
}

/** The value as it is kept, lists as copies that do not change. */
function checked(estimator: string, name: string, value: unknown): unknown {
  refuseUnknown(estimator, { [name]: value }, Object.keys(defaults))
  const [isRight, expected] = checks[name as keyof MLPParameters]
  if (isRight(value as never)) return Array.isArray(value) ? Object.freeze([...value]) : value
  throw new ArgumentError(`${estimator}: expected ${name} to be ${expected}, got ${excerpt(value)}`)
}
