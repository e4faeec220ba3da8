/** Every experiment, in the order of the page. */
import { activationFunctions } from './activations.js'
import { losses } from './bounds.js'
import { layers } from './depth.js'
import type { Experiment } from './experiment.js'
import { features } from './features.js'
import { gradients } from './gradients.js'
import { ingredients } from './ingredients.js'
import { initialization } from './initialization.js'
import { digitsOfMnist } from './mnist.js'
import { neuron } from './neuron.js'
import { overfitting } from './overfitting.js'
import { compactness } from './parity.js'
import { pretraining } from './pretraining.js'
import { regularization } from './regularization.js'
import { risk } from './risk.js'
import { saturation } from './saturation.js'
import { separation } from './separation.js'
import { sgd } from './sgd.js'
import { softmax } from './softmax.js'
import { vanishing } from './vanishing.js'
import { variance } from './variance.js'
import { xor } from './xor.js'

export const experiments: readonly Experiment[] = [
  neuron,
  activationFunctions,
  separation,
  xor,
  layers,
  softmax,
  risk,
  sgd,
  ingredients,
  losses,
  initialization,
  gradients,
  regularization,
  overfitting,
  variance,
  features,
  compactness,
  digitsOfMnist,
  vanishing,
  saturation,
  pretraining,
]
