/** Newer files of a model: when they are noticed, and what is begun when nobody wants to know any more. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FileWatch, fileState } from '../../lib/serve/fileWatch.js'

t.test('a change is heard of, and waited for at the end', async (t) => {
  const folder = t.testdir({ model: 'one', next: 'another' })
  const path = join(folder, 'model')
  let begin = () => {}
  let finish = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const change = new Promise<void>((resolve) => {
    finish = resolve
  })
  // Of its own, it keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(alive))
  const watch = new FileWatch(path, fileState(path), () => {
    begin()
    return change
  })
  renameSync(join(folder, 'next'), path)
  await begun
  let hasEnded = false
  const end = watch.end().then(() => {
    hasEnded = true
  })
  await new Promise(setImmediate)
  t.notOk(hasEnded)
  finish()
  await end
  t.ok(hasEnded)
})

t.test('the state of a file changes with it', async (t) => {
  const path = join(t.testdir(), 'model')
  t.equal(fileState(path), undefined)
  writeFileSync(path, 'one')
  const first = fileState(path)
  t.equal(fileState(path), first)
  writeFileSync(`${path}.new`, 'two')
  renameSync(`${path}.new`, path)
  t.not(fileState(path), first)
})
