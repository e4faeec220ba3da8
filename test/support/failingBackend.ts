/**
 * A backend that breaks when it is told to.
 */
import { JsBackend } from '../../lib/backend/js/backend.js'
import type { Handle, KernelArgs, KernelName } from '../../lib/backend/kernels.js'
import { KernelError, OutOfMemoryError } from '../../lib/index.js'

/** Fails once, at the n-th kernel or at the n-th allocation. */
export class FailingBackend extends JsBackend {
  /** It is the n-th from now on. */
  left = Infinity
  constructor(readonly kind: 'run' | 'alloc') {
    super()
  }
  override run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    if (this.kind === 'run' && --this.left === 0) throw new KernelError('as planned')
    super.run(kernel, ...args)
  }
  override alloc(...args: Parameters<JsBackend['alloc']>): Handle {
    if (this.kind === 'alloc' && --this.left === 0) throw new OutOfMemoryError('as planned')
    return super.alloc(...args)
  }
}
