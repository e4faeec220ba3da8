/**
 * The validating backend itself: agreement passes through, differences and writes past an extent
 * are named.
 */
import t from 'tap'
import { JsBackend } from '../../lib/backend/js/backend.js'
import type { Handle, KernelArgs, KernelName } from '../../lib/backend/kernels.js'
import { KernelError } from '../../lib/base/errors.js'
import { MismatchError, ValidatingBackend } from '../support/validate.js'

/** A backend whose kernels do one thing more. */
class Faulty extends JsBackend {
  constructor(private readonly fault: (backend: JsBackend, args: readonly number[]) => void) {
    super()
  }
  override run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const handles = [...args]
    super.run(kernel, ...args)
    this.fault(this, handles)
  }
}

function addOn(backend: ValidatingBackend): Float32Array {
  const [a, b, y] = [1, 2, 3].map(() => backend.alloc(5, 'float32'))
  backend.write(a, Float32Array.of(1, 2, 3, 4, 5))
  backend.write(b, Float32Array.of(1, 1, 1, 1, 1))
  backend.write(y, new Float32Array(5))
  backend.run('add', a, b, y, 1, 1, 4, 7, 7)
  const result = new Float32Array(5)
  backend.read(y, result)
  for (const handle of [a, b, y]) backend.release(handle)
  return result
}

t.test('passes on what agrees', async (t) => {
  const [tested, reference] = [new JsBackend(), new JsBackend()]
  const backend = new ValidatingBackend(tested, reference, true)
  t.strictSame([...addOn(backend)], [2, 3, 4, 5, 0])
  t.equal(backend.name, 'js')
  t.equal(tested.memory().buffers, 0)
  t.equal(reference.memory().buffers, 0)
})

t.test('names the element that differs', async (t) => {
  const faulty = new Faulty((backend, args) => {
    backend.write(args[2] as Handle, Float32Array.of(3.000001), 1)
  })
  t.throws(() => addOn(new ValidatingBackend(faulty, new JsBackend())), {
    name: 'MismatchError',
    message: /^add: y\[1\] is 3.00000\d+ on js, expected 3 ± 0 as on js$/,
  })
})

t.test('sees what is written past the extent', async (t) => {
  const faulty = new Faulty((backend, args) => {
    backend.write(args[2] as Handle, Float32Array.of(1e-30), 4)
  })
  t.throws(() => addOn(new ValidatingBackend(faulty, new JsBackend())), MismatchError)
})

t.test('allows the rounding of a product, but not more', async (t) => {
  for (const [error, fits] of [
    [1e-7, true],
    [1e-5, false],
  ] as const) {
    const faulty = new Faulty((backend, args) => {
      backend.write(args[2] as Handle, Float32Array.of(1.25 + error))
    })
    const backend = new ValidatingBackend(faulty, new JsBackend())
    const [a, b, c] = [2, 2, 1].map((n) => backend.alloc(n, 'float32'))
    backend.write(a, Float32Array.of(2, -0.75))
    backend.write(b, Float32Array.of(1, 1))
    const multiply = () => backend.run('gemm', a, b, c, 0, 0, 1, 1, 2, 1, 0, 0)
    if (fits) t.doesNotThrow(multiply)
    else t.throws(multiply, MismatchError)
  }
})

t.test('refuses what the tested backend refuses', async (t) => {
  const backend = new ValidatingBackend(new JsBackend(), new JsBackend())
  const x = backend.alloc(3, 'float32')
  t.throws(() => backend.run('relu', (x + 0.5) as Handle, x, 3), KernelError)
  t.throws(() => backend.release((x + 1) as Handle), KernelError)
  backend.release(x)
  t.throws(() => backend.read(x, new Float32Array(1)), KernelError)
})
