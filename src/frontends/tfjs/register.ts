import {
  copyRegisteredKernels,
  findBackendFactory,
  getKernel,
  registerBackend,
  registerKernel,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { NeuroblasBackend } from './backend.js'
import type { Rule } from './rule.js'
import { rules } from './rules.js'

/** An underscore or `tensorflow` would have other meanings to TensorFlow.js. */
const NAME = 'neuroblas'
/** Above those of the other backends, of which webgl's and wasm's is 2. */
const PRIORITY = 5

function register(kernelName: string, compute: Rule): void {
  const { kernelFunc } = getKernel(kernelName, 'cpu')
  unregisterKernel(kernelName, NAME)
  registerKernel({
    kernelName,
    backendName: NAME,
    kernelFunc: (call) => {
      const backend = call.backend as NeuroblasBackend
      const result = compute(backend, call.inputs as never, call.attrs as never)
      if (result !== undefined) return result
      backend.noteFallback(kernelName)
      return kernelFunc(call)
    },
  })
}

/** Once in a process, whichever copy of TensorFlow.js's core asks for it: they share their registry. */
export function registerNeuroblas(): void {
  if (findBackendFactory(NAME)) return
  registerBackend(NAME, () => new NeuroblasBackend(), PRIORITY)
  copyRegisteredKernels('cpu', NAME)
  for (const [kernelName, compute] of Object.entries(rules)) {
    if (getKernel(kernelName, 'cpu')) register(kernelName, compute)
  }
}
