/** Where a file is written: links, long names, and what killed writers left behind. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { writeFileAtomically } from '../../lib/io/files.js'
import { isSameFile, targetOf } from '../../lib/io/paths.js'
import { isAlive } from '../../lib/io/processes.js'
import { temporaryIn } from '../../lib/io/temporaries.js'
import { inChild } from '../support/child.js'

const write = (path: string) => writeFileAtomically(path, Buffer.from('new'))
/** A process that has ended. */
const deadPid = spawnSync(process.execPath, ['--version']).pid
const windows = process.platform === 'win32' && 'links need a right there'

t.test('a dangling link is followed', { skip: windows }, async (t) => {
  const dir = t.testdir({ folder: {} })
  symlinkSync('folder/one', join(dir, 'dangling'))
  symlinkSync(join(dir, 'dangling'), join(dir, 'twice'))
  write(join(dir, 'twice'))
  t.equal(readFileSync(join(dir, 'folder', 'one'), 'utf8'), 'new')
  t.ok(lstatSync(join(dir, 'dangling')).isSymbolicLink())
  symlinkSync('../none/file', join(dir, 'folder', 'nowhere'))
  const nowhere = { name: 'ArgumentError', message: /nowhere: .* got no folder .*none$/ }
  t.throws(() => write(join(dir, 'folder', 'nowhere')), nowhere)
  symlinkSync('circle', join(dir, 'circle'))
  const circle = { name: 'ArgumentError', message: /circle: .* links that lead in a circle$/ }
  t.throws(() => write(join(dir, 'circle')), circle)
})

t.test('the longest name that the file system takes, and a longer one', async (t) => {
  const dir = t.testdir()
  const longest = join(dir, 'ä'.repeat(127))
  write(longest)
  write(longest)
  t.equal(readFileSync(longest, 'utf8'), 'new')
  const message = /: expected a name that the file system can hold, got one of 256 bytes$/
  t.throws(() => write(join(dir, 'ä'.repeat(128))), { name: 'ArgumentError', message })
  t.strictSame(readdirSync(dir), ['ä'.repeat(127)])
})

t.test('one file by several names', { skip: windows }, async (t) => {
  const dir = t.testdir({ one: '', other: '', sub: {} })
  symlinkSync('one', join(dir, 'link'))
  symlinkSync('missing', join(dir, 'dangling'))
  linkSync(join(dir, 'one'), join(dir, 'hard'))
  const same = [
    ['one', 'one'],
    ['one', 'sub/../one'],
    ['one', 'link'],
    ['one', 'hard'],
    ['missing', 'dangling'],
  ]
  for (const [a, b] of same) t.ok(isSameFile(join(dir, a), join(dir, b)), `${a}, ${b}`)
  for (const b of ['other', 'missing']) t.notOk(isSameFile(join(dir, 'one'), join(dir, b)), b)
  t.equal(targetOf(join(dir, 'link')), targetOf(join(dir, 'one')))
})

t.test('what killed writers left behind goes with the next write, and nothing else', async (t) => {
  const dir = t.testdir()
  const ours = temporaryIn(dir)
  const ofPid = (pid: number) => ours.replace(`-${process.pid}-`, `-${pid}-`)
  const elsewhere = (name: string) => name.replace(/neuroblas-\w{8}/, 'neuroblas-00000000')
  const folder = `${ofPid(deadPid).slice(0, -16)}0123456789ab.tmp`
  mkdirSync(folder)
  writeFileSync(join(folder, 'spilled'), '')
  const left = [ofPid(deadPid), elsewhere(ofPid(1))]
  const kept = [
    ours,
    ofPid(process.ppid),
    elsewhere(ofPid(2)),
    ofPid(deadPid).replace('.neuroblas', '.other'),
    join(dir, '.model.0123456789ab.tmp'),
  ]
  for (const file of [...left, ...kept]) writeFileSync(file, '')
  const twoDaysAgo = new Date(Date.now() - 48 * 3600 * 1000)
  for (const file of [left[1], ours]) utimesSync(file, twoDaysAgo, twoDaysAgo)
  write(join(dir, 'model'))
  for (const file of [...left, folder]) t.notOk(existsSync(file), file)
  for (const file of kept) t.ok(existsSync(file), file)
})

t.test('a folder that must not be written in', { skip: windows }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'neuroblas-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o555)
  const { stdout } = await inChild(
    {},
    async (_nb, _tools, module, path) => {
      const { checkWritable } = await import(module)
      // Root may write anywhere.
      if (process.getuid!() === 0) process.setuid!(65534)
      try {
        checkWritable(path)
      } catch (error) {
        console.log(`${error}`)
      }
    },
    new URL('../../lib/io/paths.js', import.meta.url).href,
    join(dir, 'file'),
  )
  t.equal(stdout, `ArgumentError: ${dir}/file: expected the right to write in ${dir}, got none\n`)
})

t.test('what cannot be removed does no harm', async (t) => {
  const dir = t.testdir()
  // A folder stands for what is somebody else's: it cannot be removed as a file.
  mkdirSync(temporaryIn(dir).replace(`-${process.pid}-`, `-${deadPid}-`))
  write(join(dir, 'model'))
  t.equal(readFileSync(join(dir, 'model'), 'utf8'), 'new')
})

t.test(
  'a process that has ended is not alive, though nobody has asked for its end',
  {
    skip: process.platform !== 'linux' && 'only Linux tells',
  },
  async (t) => {
    t.ok(isAlive(process.pid))
    t.notOk(isAlive(deadPid))
    // The shell's child is then the child of a program that never asks for its end.
    const program = `
    import { readFileSync } from 'node:fs'
    import { isAlive } from ${JSON.stringify(new URL('../../lib/io/processes.js', import.meta.url).href)}
    const pid = Number(process.argv[1])
    while (!readFileSync('/proc/' + pid + '/stat', 'utf8').includes(') Z '));
    console.log(isAlive(pid))`
    const shell = 'true & exec "$0" --input-type=module -e "$1" $!'
    const { NODE_OPTIONS: _, ...env } = process.env
    const { stdout } = spawnSync('sh', ['-c', shell, process.execPath, program], {
      encoding: 'utf8',
      env,
    })
    t.equal(stdout, 'false\n')
  },
)
