/** The files that `neuroblas train` leaves behind: which it refuses before it trains, and which it goes on from. */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { beginOf, HERE } from '../../lib/io/processes.js'
import { decodeSafetensors } from '../../lib/io/safetensors.js'
import { bareNode, root, runCommand } from '../support/cli.js'

const windows = process.platform === 'win32' && 'links and limits differ there'
const iris = ['train', 'iris', '--epochs', '2']

t.test('a checkpoint of another training is refused, or accepted by name', async (t) => {
  const cwd = t.testdir()
  const run = (...args: string[]) => runCommand([...iris, '--checkpoint', 'z', ...args], { cwd })
  t.equal((await run('--no-save')).code, 0)
  const before = readFileSync(join(cwd, 'z'))
  const other = ['--activation', 'tanh', '--l1', '0.01', '--save', 't']
  const refused = await run(...other)
  t.equal(refused.code, 1)
  const what =
    /^neuroblas: z: expected a checkpoint of this training, got one that differs in regularizer \(was l2\(0\.0001\), is l1\(0\.01\) \+ l2\(0\.0001\)\), step \(was Linear, ReLU, Linear; softmaxCrossEntropy, is Linear, Tanh, Linear; softmaxCrossEntropy\); to go on all the same, accept them: .*\(--resume-with regularizer,step\)\n$/
  t.match(refused.stderr, what)
  t.notOk(existsSync(join(cwd, 't')))
  t.ok(readFileSync(join(cwd, 'z')).equals(before))
  t.equal((await run(...other, '--resume-with', 'regularizer, step')).code, 0)
  t.ok(existsSync(join(cwd, 't')))
  const { metadata } = decodeSafetensors(readFileSync(join(cwd, 'z')), 'z')
  t.match(JSON.parse(metadata.training).accepted, [{ name: 'regularizer' }, { name: 'step' }])
  t.equal((await run(...other)).code, 0, 'it is that training from then on')
  t.strictSame(readdirSync(cwd).sort(), ['t', 'z'])
})

t.test('what is refused before anything is read or trained', { skip: windows }, async (t) => {
  const cwd = t.testdir({ model: '', 'data.csv': '1,2,a\n3,4,b\n', folder: {} })
  symlinkSync('model', join(cwd, 'link'))
  linkSync(join(cwd, 'model'), join(cwd, 'hard'))
  symlinkSync('none/model', join(cwd, 'nowhere'))
  const long = 'x'.repeat(256)
  const taken = { pid: process.pid, place: HERE, began: beginOf(process.pid), since: 'noon' }
  writeFileSync(join(cwd, 'taken.lock'), JSON.stringify(taken))
  const cases: [string[], number, RegExp][] = [
    [
      ['--checkpoint', 'z', '--save', './z'],
      2,
      /--save \.\/z: expected another file than --checkpoint z, got it/,
    ],
    [
      ['--checkpoint', 'model', '--save', 'link'],
      2,
      /--save link: expected another file than --ch/,
    ],
    [['--checkpoint', 'hard', '--save', 'folder/../model'], 2, /model: expected another file than/],
    [['--checkpoint', 'iris.safetensors'], 2, /--save iris\.safetensors: expected another file/],
    [
      ['--save', long],
      1,
      /--save x+: expected a name that the file system can hold, got one of 256/,
    ],
    [['--checkpoint', long], 1, /--checkpoint x+: expected a name that the file system can hold/],
    [['--save', 'nowhere'], 1, /--save nowhere: .* got no folder .*none\n/],
    [['--checkpoint', 'no/z'], 1, /--checkpoint no\/z: .* got no folder no\n/],
    [
      ['--resume-with', 'lr'],
      2,
      /--resume-with: expected with --checkpoint or --run, got it without/,
    ],
  ]
  for (const [args, code, message] of cases) {
    const run = await runCommand([...iris, ...args], { cwd })
    t.equal(run.code, code, run.stderr)
    t.match(run.stderr, message)
    t.equal(run.stdout, '')
  }
  const data = await runCommand(['train', 'data.csv', '--save', 'data.csv'], { cwd })
  t.match(data, {
    code: 2,
    stderr: /--save data\.csv: expected another file than the data data\.csv/,
  })
  const locked = await runCommand([...iris, '--checkpoint', 'taken'], { cwd })
  const message = new RegExp(`taken: .* got one of process ${process.pid} on .* since noon `)
  t.match(locked, { code: 1, stderr: message })
  const results = await runCommand(['reproduce', 'dropout', '--results', 'no/r.json'], { cwd })
  t.match(results, { code: 1, stdout: '', stderr: /--results no\/r\.json: .* got no folder no/ })
  const lecture = await runCommand(['lecture', '--out', 'model/page/deep'], { cwd })
  const out = /--out model\/page\/deep: expected a folder, got the file .*model\n/
  t.match(lecture, { code: 1, stdout: '', stderr: out })
  t.equal(readFileSync(join(cwd, 'model'), 'utf8'), '')
  t.notOk(existsSync(join(cwd, 'z')))
})

t.test('a dangling link is followed', { skip: windows }, async (t) => {
  const cwd = t.testdir({ folder: {} })
  symlinkSync('folder/model', join(cwd, 'link'))
  t.equal((await runCommand([...iris, '--save', 'link'], { cwd })).code, 0)
  t.ok(lstatSync(join(cwd, 'link')).isSymbolicLink())
  t.match(readdirSync(join(cwd, 'folder')), ['model'])
})

t.test(
  'a disk that takes no model is an error that names the file',
  { skip: windows },
  async (t) => {
    const cwd = t.testdir()
    // 4 KiB at most; the model has 9 KB.
    const limited = [
      '-c',
      'ulimit -f 4; exec "$@"',
      '--',
      ...bareNode,
      `${root}lib/apps/cli/main.js`,
    ]
    const args = [...limited, ...iris, '--layers', '256', '--save', 'model']
    const { status, stderr } = spawnSync('bash', args, { cwd, encoding: 'utf8' })
    t.equal(status, 1)
    t.match(stderr, /^neuroblas: .*model: larger than a file may be here\n$/)
    t.strictSame(readdirSync(cwd), [])
  },
)

t.test('SIGHUP and SIGQUIT save as SIGTERM does, also where they end the reader', async (t) => {
  const cwd = t.testdir()
  const args = ['train', 'digits', '--epochs', '1000000', '--json', '--save']
  for (const [name, code] of [
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const) {
    let sent = false
    const stopped = await runCommand([...args, name], {
      cwd,
      watch(child, stdout, stderr) {
        if (!sent && stdout.includes('"epoch":2,')) sent = child.kill(name)
        if (stderr.includes(name)) child.stdout?.destroy()
      },
    })
    t.equal(stopped.code, code)
    t.match(stopped.stderr, new RegExp(`^neuroblas: ${name}: stopping.*\\n$`))
    t.ok(existsSync(join(cwd, name)), 'saved')
  }
})

// A terminal that is closed in the third epoch; prints how the command ended.
const HANG_UP = `
import os, pty, re, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b''
while not re.search(rb'epoch +3/', seen):
    seen += os.read(terminal, 4096)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`

t.test(
  'a terminal that is closed',
  {
    skip: spawnSync('python3', ['-c', 'import pty']).status !== 0 && 'only Python makes a terminal',
  },
  async (t) => {
    const cwd = t.testdir()
    const command = [...bareNode, `${root}lib/apps/cli/main.js`, 'train', 'digits']
    const args = ['-c', HANG_UP, ...command, '--epochs', '1000000', '--save', 'kept']
    const { stdout, stderr } = spawnSync('python3', args, { cwd, encoding: 'utf8' })
    t.match({ stdout, stderr }, { stdout: '-1\n', stderr: '' }, 'ended by SIGHUP')
    t.strictSame(readdirSync(cwd), ['kept'])
  },
)
