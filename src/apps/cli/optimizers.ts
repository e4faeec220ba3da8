/** The optimizers of the command line, by name, with a learning rate that suits most networks. */
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  type GroupSettings,
  Lion,
  NAdam,
  type Optimizer,
  type Parameter,
  RAdam,
  RMSprop,
  SGD,
} from '../../index.js'

type Make = (parameters: Parameter[], settings: GroupSettings, momentum: number) => Optimizer

/** Those without a learning rate take that of the data's preset. */
export const optimizers = {
  sgd: { make: (w, settings, momentum) => new SGD(w, { ...settings, momentum }) },
  // Steps have the size of the learning rate, whatever that of the gradients is.
  adam: { lr: 0.001, make: (w, settings) => new Adam(w, settings) },
  adamw: { lr: 0.001, make: (w, settings) => new AdamW(w, settings) },
  nadam: { lr: 0.001, make: (w, settings) => new NAdam(w, settings) },
  radam: { lr: 0.001, make: (w, settings) => new RAdam(w, settings) },
  rmsprop: { lr: 0.001, make: (w, settings) => new RMSprop(w, settings) },
  adagrad: { lr: 0.01, make: (w, settings) => new Adagrad(w, settings) },
  adadelta: { lr: 1, make: (w, settings) => new Adadelta(w, settings) },
  lion: { lr: 0.0003, make: (w, settings) => new Lion(w, settings) },
} as const satisfies Record<string, { lr?: number; make: Make }>

/** Names of optimizers. */
export type OptimizerName = keyof typeof optimizers

/** The learning rate that one has by itself. */
export function rateOf(name: OptimizerName): number | undefined {
  const optimizer = optimizers[name]
  return 'lr' in optimizer ? optimizer.lr : undefined
}
