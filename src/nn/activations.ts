/** Activations as modules, for `Sequential`. */
import { requireTensor } from '../ops/require.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module } from './module.js'

/** max(0, a) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.relu()
  }
}

/** 1 / (1 + e^-a) */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.sigmoid()
  }
}

/** (e^a - e^-a) / (e^a + e^-a) */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.tanh()
  }
}

/** Probabilities along the last axis; for training use logits and `softmaxCrossEntropy` instead. */
export class Softmax extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.softmax()
  }
}
