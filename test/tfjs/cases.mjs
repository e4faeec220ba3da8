// Calls of TensorFlow.js's operations at random shapes: each draws its tensors and says what is computed of
// them. Left out is where the backend cpu itself is wrong: see the comments.
import { arithmetic } from './arithmetic.mjs'
import { images } from './images.mjs'
import { moving } from './moving.mjs'

export const cases = { ...arithmetic, ...images, ...moving }
