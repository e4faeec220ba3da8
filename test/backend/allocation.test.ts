/**
 * Allocations that do not fit are refused, not killed, on both backends; memory that was promised and
 * not touched yet counts, whoever was promised it.
 */
import t from 'tap'
import type { Tensor } from '../../lib/index.js'
import { inChild } from '../support/child.js'
import { smallContainer, writeSystemFiles } from '../support/systemFiles.js'

/** In a process of its own: no test before it has left memory behind. */
for (const backend of ['native', 'js'] as const) {
  t.test(`more than the container has (${backend})`, async (t) => {
    const folder = writeSystemFiles(t.testdir(), smallContainer)
    const { stdout, stderr } = await inChild(
      {},
      async (nb, _tools, folder, backend) => {
        const { lookForSystemFilesIn } = await import('./lib/base/availableMemory.js' as string)
        lookForSystemFilesIn(folder)
        nb.setBackend(backend)
        const attempt = (fn: () => unknown) => {
          try {
            fn()
            return 'fine'
          } catch (error) {
            return `${(error as Error).name}: ${(error as Error).message}`
          }
        }
        const zeros = attempt(() => nb.init.zeros([65536, 65536]))
        const step = nb.capture((x: Tensor) =>
          x
            .matmul(nb.ones([1, 2 ** 15]))
            .exp()
            .sum(),
        )
        const arena = attempt(() => step(nb.ones([2 ** 15, 1])))
        const after = attempt(() => nb.zeros([1000, 1000]))
        console.log(JSON.stringify({ zeros, arena, after }))
      },
      folder,
      backend,
    )
    const { zeros, arena, after } = JSON.parse(stdout || JSON.stringify(stderr))
    const room =
      'expected at most 924.00 MiB, which is available of the 1.00 GiB of the control group /,'
    const advice = 'free tensors (dispose, scope) or take fewer at a time'
    t.equal(
      zeros,
      `OutOfMemoryError: alloc: ${room} got 16.00 GiB for 4294967296 elements of float32; ${advice}`,
    )
    // Two buffers of [2^15, 2^15], which are planned together or made one by one.
    const [op, need] =
      backend === 'native'
        ? ['capture', '8.00 GiB for the intermediate results']
        : ['alloc', '4.00 GiB for 1073741824 elements of float32']
    t.equal(arena, `OutOfMemoryError: ${op}: ${room} got ${need}; ${advice}`)
    t.equal(after, 'fine', 'what fits is given after a refusal')
  })
}

t.test('what was promised and not touched counts, also that of another worker', async (t) => {
  const folder = writeSystemFiles(t.testdir(), smallContainer)
  const { stdout, stderr } = await inChild(
    {},
    async (nb, _tools, folder) => {
      const { Worker } = await import('node:worker_threads')
      const { once } = (await import('node:events')).default
      const { lookForSystemFilesIn } = await import('./lib/base/availableMemory.js' as string)
      const { currentBackend } = await import('./lib/backend/current.js' as string)
      lookForSystemFilesIn(folder)
      nb.setBackend('native')
      const backend = currentBackend()
      const MiB = 2 ** 20
      const attempt = (mebibytes: number) => {
        try {
          return backend.alloc(mebibytes * MiB, 'uint8')
        } catch (error) {
          return `${(error as Error).name}: ${(error as Error).message}`
        }
      }
      const first = attempt(500)
      const second = attempt(500)
      backend.release(first)
      const again = attempt(500)
      backend.release(again)
      const lib = `${process.cwd()}/lib`
      const worker = new Worker(
        `const paths = ['${lib}/backend/current.js', '${lib}/base/availableMemory.js', 'node:worker_threads']
        Promise.all(paths.map((path) => import(path))).then(([current, memory, worker]) => {
          memory.lookForSystemFilesIn(worker.workerData)
          current.currentBackend().alloc(${500 * MiB}, 'uint8')
          worker.parentPort.on('message', () => process.exit())
          worker.parentPort.postMessage('taken')
        })`,
        { eval: true, workerData: folder },
      )
      await once(worker, 'message')
      const beside = attempt(500)
      worker.postMessage('end')
      await once(worker, 'exit')
      const alone = attempt(500)
      console.log(JSON.stringify({ first, second, again, beside, alone }))
    },
    folder,
  )
  const { first, second, again, beside, alone } = JSON.parse(stdout || JSON.stringify(stderr))
  t.equal(stderr, '')
  for (const handle of [first, again, alone]) t.type(handle, 'number')
  // 924 MiB less a block of 512, which is what 500 take.
  const refused = /^OutOfMemoryError: alloc: expected at most 41\d\.\d\d MiB.* got 500\.00 MiB/
  t.match(second, refused)
  t.match(beside, refused)
})
