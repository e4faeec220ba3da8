/**
 * `neuroblas/tfjs`: a backend for TensorFlow.js. After `import 'neuroblas/tfjs'` and
 * `await tf.setBackend('neuroblas')` its models compute with the kernels of this library; what they do not
 * have is computed by the backend `cpu`. `@tensorflow/tfjs-core` and `@tensorflow/tfjs-backend-cpu`, both
 * part of `@tensorflow/tfjs`, are to be installed beside it.
 * @module neuroblas/tfjs
 */
import { registerNeuroblas } from './register.js'

registerNeuroblas()

export { NeuroblasBackend } from './backend.js'
export {
  type FromLayersOptions,
  fromLayersModel,
  LayersNetwork,
  type RegularizedGroup,
  toLayersModel,
} from './layers.js'
