/** One training at a time on a file: who has it, and when nobody has it any more. */
import { spawnSync } from 'node:child_process'
import fs, {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'
import { FileLock } from '../../lib/io/lock.js'
import { beginOf, HERE } from '../../lib/io/processes.js'

const deadPid = spawnSync(process.execPath, ['--version']).pid
const since = '2026-01-02T03:04:05.000Z'
const own = { pid: process.pid, place: HERE, began: beginOf(process.pid), since }
const parent = { pid: process.ppid, place: HERE, began: beginOf(process.ppid), since }
const elsewhere = { pid: 1, place: 'another-machine pid:[1]', since }

const quoted = (text: string) => text.replace(/[[\]]/g, '\\$&')
const refusal = (message: RegExp) => ({ name: 'DataError', message })
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

t.test('the second one is refused, by every name of the file', async (t) => {
  const dir = t.testdir({ sub: {} })
  const lock = new FileLock(join(dir, 'file'))
  for (const name of ['file', 'sub/../file']) {
    const message = new RegExp(
      `expected a file that no other .*process ${process.pid} on .*\\.lock`,
    )
    t.throws(() => new FileLock(join(dir, name)), refusal(message))
  }
  const other = new FileLock(join(dir, 'other'))
  lock.check()
  lock.release()
  other.release()
  t.strictSame(readdirSync(dir), ['sub'])
  new FileLock(join(dir, 'file')).release()
})

t.test('whose lock counts', async (t) => {
  const file = join(t.testdir(), 'file')
  const cases = [
    ['of a living process', JSON.stringify(parent), 60, false],
    ['of this process, with signs of life', JSON.stringify(own), 0.5, false],
    ['of another machine, with signs of life', JSON.stringify(elsewhere), 0.5, false],
    ['being written', '{"pid":', 0.5, false],
    ['of a dead process', JSON.stringify({ ...parent, pid: deadPid }), 0, true],
    [
      'of a dead process, whose number another has',
      JSON.stringify({ ...parent, began: '1' }),
      0,
      true,
    ],
    ['of a thread of this process, silent', JSON.stringify(own), 2, true],
    ['of another machine, silent', JSON.stringify(elsewhere), 3, true],
    ['broken off', '{"pid":', 3, true],
    ['of no process', '{"pid":0}', 3, true],
    ['of nobody', 'null', 3, true],
  ] as const
  for (const [whose, text, minutes, isLeft] of cases) {
    writeFileSync(`${file}.lock`, text)
    utimesSync(`${file}.lock`, minutesAgo(minutes), minutesAgo(minutes))
    if (isLeft) {
      const lock = new FileLock(file)
      t.match(JSON.parse(readFileSync(lock.file, 'utf8')), { pid: process.pid }, whose)
      lock.release()
      t.notOk(existsSync(`${file}.lock`), whose)
    } else {
      t.throws(() => new FileLock(file), refusal(/expected a file that no other training/), whose)
      t.equal(readFileSync(`${file}.lock`, 'utf8'), text, whose)
    }
  }
  writeFileSync(`${file}.lock`, JSON.stringify(parent))
  const message = new RegExp(`process ${process.ppid} on ${quoted(HERE)} since 2026-01-02T03:04:05`)
  t.throws(() => new FileLock(file), refusal(message))
})

t.test('on a file system without links', async (t) => {
  const dir = t.testdir()
  const { linkSync } = fs
  fs.linkSync = () => {
    throw Object.assign(new Error('operation not permitted'), { code: 'EPERM', syscall: 'link' })
  }
  syncBuiltinESMExports()
  try {
    const lock = new FileLock(join(dir, 'file'))
    t.match(JSON.parse(readFileSync(lock.file, 'utf8')), { pid: process.pid })
    t.throws(() => new FileLock(join(dir, 'file')), refusal(/expected a file that no other/))
    lock.release()
  } finally {
    fs.linkSync = linkSync
    syncBuiltinESMExports()
  }
  t.strictSame(readdirSync(dir), [])
})

t.test('a lock that is lost', async (t) => {
  const lock = new FileLock(join(t.testdir(), 'file'))
  rmSync(lock.file)
  lock.check()
  t.match(JSON.parse(readFileSync(lock.file, 'utf8')), { pid: process.pid }, 'taken anew')
  writeFileSync(lock.file, JSON.stringify(parent))
  t.throws(() => lock.check(), refusal(new RegExp(`process ${process.ppid} on `)))
  lock.release()
  t.match(JSON.parse(readFileSync(lock.file, 'utf8')), { pid: process.ppid }, 'left to its owner')
})

t.test('it gives signs of life until it is released', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const lock = new FileLock(join(t.testdir(), 'file'))
  utimesSync(lock.file, minutesAgo(60), minutesAgo(60))
  mock.timers.tick(10_000)
  const touched = () => Date.now() - statSync(lock.file).mtimeMs
  t.ok(touched() < 60_000)
  rmSync(lock.file)
  mock.timers.tick(10_000)
  t.notOk(existsSync(lock.file), 'what was removed is not made by a sign of life')
  lock.release()
  writeFileSync(lock.file, '')
  utimesSync(lock.file, minutesAgo(60), minutesAgo(60))
  mock.timers.tick(60_000)
  t.ok(touched() > 60_000)
})

t.test('a name that leaves no room for that of the lock', async (t) => {
  const message = /expected a name that the file system can hold, got one of 258 bytes/
  const name = 'x'.repeat(253)
  t.throws(() => new FileLock(join(t.testdir(), name)), { name: 'ArgumentError', message })
})
