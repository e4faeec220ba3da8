/**
 * Kernels on buffers without elements: with an extent of 0 the others may be of any size, and no loop
 * goes over them.
 */
import t from 'tap'
import { JsBackend } from '../../lib/backend/js/backend.js'
import { type Handle, type KernelName, kernels } from '../../lib/backend/kernels.js'
import { NativeBackend } from '../../lib/backend/native/backend.js'
import { KernelError } from '../../lib/index.js'

/** Those that have a length of their own. */
const FIXED = ['settings', 'limit', 'state']

/**
 * All lists of so many extents that are nothing, one or far too much; of very many extents, those where
 * at most three are not one.
 */
function* extents(count: number, others = count > 8 ? 3 : count): Iterable<number[]> {
  if (count === 0) {
    yield []
    return
  }
  for (const n of [0, 1, 2 ** 40]) {
    if (n !== 1 && others === 0) continue
    for (const rest of extents(count - 1, n === 1 ? others : others - 1)) yield [n, ...rest]
  }
}

t.test('every kernel comes to an end', async (t) => {
  const backends = [new NativeBackend(), new JsBackend()]
  let computed = 0
  for (const [kernel, row] of Object.entries(kernels) as [KernelName, readonly string[]][]) {
    const parameters = row.map((parameter) => parameter.split(':'))
    const buffers = backends.map((backend) =>
      parameters.map(([name, use, dtype]) => {
        if (use === 'size' || use === 'float') return 0 as Handle
        const of = { F: 'float32', N: 'float32', T: 'float32', S: 'float32' }[dtype] ?? dtype
        return backend.alloc(FIXED.includes(name) ? 16 : 0, of as 'float32')
      }),
    )
    const run = (backend: number, sizes: readonly number[]) => {
      let next = 0
      const args = parameters.map(([, use], i) =>
        use === 'size' ? sizes[next++] : use === 'float' ? 0.5 : buffers[backend][i],
      )
      backends[backend].run(kernel, ...(args as never))
    }
    for (const sizes of extents(parameters.filter(([, use]) => use === 'size').length)) {
      try {
        run(0, sizes)
      } catch (error) {
        if (!(error instanceof KernelError)) throw error
        continue
      }
      // What the native one takes the other takes, too; of wrong extents it knows nothing.
      run(1, sizes)
      computed++
    }
    for (const [i, backend] of backends.entries()) {
      for (const handle of new Set(buffers[i])) if (handle !== 0) backend.release(handle)
    }
  }
  t.ok(computed > 500, `${computed} calls were computed`)
})
