/** What a server holds. It has a process of its own: what other tests leave to the collector would be counted. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { memory } from '../../lib/index.js'
import { serve } from '../../lib/serve/index.js'
import { saveConstant as save } from '../support/servedModel.js'

t.test('models that were read are freed, newer and refused ones, too', async (t) => {
  const [path, other] = [join(t.testdir(), 'model'), join(t.testdir(), 'other')]
  save(path, 0)
  save(other, 1, ['d', 'e', 'f'])
  const before = memory().live
  let heard = (_?: Error) => {}
  const server = await serve(path, { port: 0, onReload: (error) => heard(error) })
  const { live } = memory()
  for (const from of [0, 1, 'other'] as const) {
    const reloaded = new Promise<Error | undefined>((resolve) => {
      heard = resolve
    })
    if (from === 'other') renameSync(other, path)
    else save(path, from)
    t.equal((await reloaded) === undefined, from !== 'other')
    t.equal(memory().live, live)
  }
  await server.close()
  t.equal(memory().live, before)
})
