/** Activations as modules, for `Sequential`. */
import { noteRead } from '../backend/record.js'
import { checkCount } from '../base/arguments.js'
import {
  checkApproximation,
  checkBounds,
  checkSlope,
  type GeluApproximation,
} from '../ops/activations.js'
import { requireTensor } from '../ops/require.js'
import { full } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import { Module, Parameter } from './module.js'

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

/** log(softmax(a)) along the last axis. */
export class LogSoftmax extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.logSoftmax()
  }
}

/** log(1 + e^a), a smooth max(0, a). */
export class Softplus extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.softplus()
  }
}

/** a / (1 + |a|) */
export class Softsign extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.softsign()
  }
}

/** a > 0 ? a : negativeSlope·a */
export class LeakyReLU extends Module {
  /**
   * With a slope below 0.
   * @throws ArgumentError for what is no number
   */
  constructor(
    /** The slope below 0. */
    readonly negativeSlope = 0.01,
  ) {
    super()
    checkSlope('LeakyReLU', 'negativeSlope', negativeSlope)
  }
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.leakyRelu(this.negativeSlope)
  }
}

/** a > 0 ? a : alpha·(e^a - 1) (Clevert et al. 2015) */
export class ELU extends Module {
  /**
   * With -alpha as its limit below 0.
   * @throws ArgumentError for what is no number
   */
  constructor(
    /** The limit far below 0, less its sign. */
    readonly alpha = 1,
  ) {
    super()
    checkSlope('ELU', 'alpha', alpha)
  }
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.elu(this.alpha)
  }
}

/** 1.0507·elu(a, 1.67326), for self-normalizing networks (Klambauer et al. 2017) */
export class SELU extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.selu()
  }
}

/** a·Φ(a), with Φ of the normal distribution (Hendrycks and Gimpel 2016) */
export class GELU extends Module {
  /**
   * Exact, or by a tanh that is near it.
   * @param approximate `none` or `tanh`, as the method `gelu` of a tensor takes it
   * @throws ArgumentError for what is neither
   */
  constructor(
    /** `none` or `tanh`. */
    readonly approximate: GeluApproximation = 'none',
  ) {
    super()
    checkApproximation('GELU', approximate)
  }
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.gelu(this.approximate)
  }
}

/** a·sigmoid(a), also known as swish */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.silu()
  }
}

/** a·tanh(log(1 + e^a)) (Misra 2019) */
export class Mish extends Module {
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.mish()
  }
}

/** min(max(a, min), max) */
export class Hardtanh extends Module {
  /**
   * Between two bounds.
   * @throws ArgumentError when min > max
   */
  constructor(
    /** The lower bound. */
    readonly min = -1,
    /** The upper bound. */
    readonly max = 1,
  ) {
    super()
    checkBounds('Hardtanh', min, max)
  }
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    return x.hardtanh(this.min, this.max)
  }
}

/** a > 0 ? a : weight·a, with slopes that are learned (He et al. 2015) */
export class PReLU extends Module {
  /** [numParameters], which regularizers leave alone: they would make it a ReLU. */
  readonly weight: Parameter

  /**
   * With one slope, or one for each channel, which is the last axis.
   * @param numParameters 1, or the number of channels
   * @param init the slopes at first
   * @throws ArgumentError when a number is out of range
   */
  constructor(numParameters = 1, init = 0.25) {
    super()
    checkCount('PReLU', 'numParameters', numParameters)
    checkSlope('PReLU', 'init', init)
    this.weight = new Parameter(full([numParameters], init), { regularized: false })
  }
  /** @throws ShapeError when the last axis of x has another extent than there are slopes */
  forward(x: Tensor): Tensor {
    requireTensor('forward', x)
    noteRead(this, 'weight', this.weight)
    return x.prelu(this.weight)
  }
}
