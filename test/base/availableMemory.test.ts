/**
 * What memory is available, by the files of systems and containers; and what does not fit is refused
 * with need and limit.
 */
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { totalmem } from 'node:os'
import t from 'tap'
import {
  availableMemory,
  lookForSystemFilesIn,
  requireMemory,
} from '../../lib/base/availableMemory.js'
import { formatBytes } from '../../lib/base/text.js'
import { DataLoader, type Dataset, OutOfMemoryError, table } from '../../lib/index.js'
import { readIdx } from '../../lib/internal.js'
import { rejects } from '../support/engine.js'
import { refuses } from '../support/reference.js'
import { smallContainer, writeSystemFiles } from '../support/systemFiles.js'

const MiB = 2 ** 20
const machine = { '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:   8192 kB\n' }
const v2 = (path: string, max: string, current: number, stat = '') => ({
  [`/sys/fs/cgroup${path}/memory.max`]: `${max}\n`,
  [`/sys/fs/cgroup${path}/memory.current`]: `${current}\n`,
  [`/sys/fs/cgroup${path}/memory.stat`]: stat,
})
const v1 = (path: string, limit: number | string, usage: number, stat = '') => ({
  [`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`]: `${limit}\n`,
  [`/sys/fs/cgroup/memory${path}/memory.usage_in_bytes`]: `${usage}\n`,
  [`/sys/fs/cgroup/memory${path}/memory.stat`]: stat,
})
const self = (text: string) => ({ '/proc/self/cgroup': text })

// Files, what is available, and which limit says so.
const cases: Record<string, [Record<string, string>, number, string]> = {
  'no control groups': [machine, 8 * MiB, 'the machine'],
  'version 2 without a limit': [
    { ...machine, ...self('0::/job\n'), ...v2('/job', 'max', 5 * MiB) },
    8 * MiB,
    'the machine',
  ],
  'version 2, page cache does not count': [
    {
      ...machine,
      ...self('0::/job\n'),
      ...v2(
        '/job',
        `${4 * MiB}`,
        3 * MiB,
        `anon ${MiB}\nactive_file ${MiB / 2}\ninactive_file ${MiB / 4}\nslab_reclaimable ${MiB / 4}\nfile ${9 * MiB}\n`,
      ),
    },
    2 * MiB,
    'the control group /job',
  ],
  'nested: the outer one is tighter': [
    {
      ...machine,
      ...self('0::/user/build/job\n'),
      ...v2('/user', `${6 * MiB}`, 5 * MiB),
      ...v2('/user/build', 'max', 4 * MiB),
      ...v2('/user/build/job', `${5 * MiB}`, 1 * MiB),
    },
    1 * MiB,
    'the control group /user',
  ],
  'nested: the inner one is tighter': [
    {
      ...machine,
      ...self('0::/user/job\n'),
      ...v2('/user', `${8 * MiB}`, 2 * MiB),
      ...v2('/user/job', `${3 * MiB}`, 1 * MiB),
    },
    2 * MiB,
    'the control group /user/job',
  ],
  "a container that sees the host's path": [
    { ...machine, ...self('0::/docker/0123\n'), ...v2('', `${2 * MiB}`, 1 * MiB) },
    1 * MiB,
    'the control group /',
  ],
  "a neighbour's limit": [
    { ...machine, ...self('0::/user/job\n'), ...v2('/user/other', `${MiB}`, MiB) },
    8 * MiB,
    'the machine',
  ],
  'used up': [
    { ...machine, ...self('0::/\n'), ...v2('', `${2 * MiB}`, 3 * MiB) },
    0,
    'the control group /',
  ],
  'version 1': [
    {
      ...machine,
      ...self('5:cpu,cpuacct:/job\n4:memory:/job\n'),
      ...v1(
        '/job',
        4 * MiB,
        3 * MiB,
        `cache 9\nactive_file 7\ntotal_active_file ${MiB / 2}\ntotal_inactive_file ${MiB / 2}\n`,
      ),
    },
    2 * MiB,
    'the control group /job',
  ],
  'version 1, nested, the outer one is tighter': [
    {
      ...machine,
      ...self('4:memory:/docker/01\n'),
      ...v1('/docker', 3 * MiB, 2 * MiB),
      ...v1('/docker/01', '9223372036854771712', MiB),
    },
    1 * MiB,
    'the control group /docker',
  ],
  'both versions: the memory controller is one of version 1': [
    {
      ...machine,
      ...self('4:memory:/job\n0::/job\n'),
      ...v1('/job', 2 * MiB, 1 * MiB),
      ...v2('/job', 'max', 0),
    },
    1 * MiB,
    'the control group /job',
  ],
  'files of nonsense': [
    {
      ...machine,
      ...self('\n:\n0:\n0::\n0::job\n0::/../..\n'),
      ...v2('', 'many', Number.NaN),
    },
    8 * MiB,
    'the machine',
  ],
}

for (const [name, [files, available, of]] of Object.entries(cases)) {
  t.test(name, async (t) => {
    lookForSystemFilesIn(writeSystemFiles(t.testdir(), files))
    const found = availableMemory()
    lookForSystemFilesIn('')
    t.strictSame({ available: found.available, of: found.of }, { available, of })
  })
}

t.test('a system without such files', async (t) => {
  lookForSystemFilesIn(t.testdir())
  const { available, limit, of } = availableMemory()
  lookForSystemFilesIn('')
  t.strictSame([limit, of], [totalmem(), 'the machine'])
  // What this process has taken by itself, which was about as much a moment ago.
  t.ok(available < limit && limit - available < 2 ** 31, `${limit - available} bytes`)
})

t.test('this machine', async (t) => {
  const { available, limit } = availableMemory()
  t.ok(available > 0 && available <= limit, `${available} of ${limit}`)
})

t.test('formatBytes', async (t) => {
  const texts = [0, 1023, 1024, 1.5 * MiB, 16 * 2 ** 30, 2 ** 55].map(formatBytes)
  t.strictSame(texts, ['0 B', '1023 B', '1.00 KiB', '1.50 MiB', '16.00 GiB', '32.00 PiB'])
})

t.test('what does not fit is refused before it is made', async (t) => {
  lookForSystemFilesIn(writeSystemFiles(t.testdir({ big: '' }), smallContainer))
  t.teardown(() => lookForSystemFilesIn(''))
  // 1024 MiB less the 300 in use, of which 200 are page cache and the like.
  const room = '924.00 MiB, which is available of the 1.00 GiB of the control group /,'
  t.doesNotThrow(() => requireMemory('read', 'a file', 924 * MiB))
  refuses(
    t,
    () => requireMemory('read', 'a file', 924 * MiB + 1),
    OutOfMemoryError,
    `read: expected at most ${room} got 924.00 MiB for a file; free tensors (dispose, scope) or take fewer at a time`,
  )

  // 1 GiB of images; nothing of the file but its header is on the disk.
  const file = `${t.testdirName}/big`
  const fd = openSync(file, 'w')
  const header = new DataView(new ArrayBuffer(16))
  for (const [i, value] of [0x803, 2 ** 20, 32, 32].entries()) header.setUint32(4 * i, value)
  writeSync(fd, header)
  ftruncateSync(fd, 16 + 2 ** 30)
  closeSync(fd)
  refuses(
    t,
    () => readIdx(file),
    OutOfMemoryError,
    `read: expected at most ${room} got 1.00 GiB for ${file}; free tensors (dispose, scope) or take fewer at a time`,
  )

  const data: Dataset = {
    name: 'large',
    size: 2 ** 20,
    inputs: new Float32Array(0),
    inputShape: [1024],
    targets: new Int32Array(0),
    targetShape: [],
    scale: 1,
    classes: ['0'],
  } as unknown as Dataset
  refuses(
    t,
    () => new DataLoader(data, { batchSize: 1 }),
    OutOfMemoryError,
    /^DataLoader: expected at most 924\.00 MiB.* got 4\.00 GiB for 1048576 examples of 'large'; .*in blocks/,
  )
})

t.test('a table that does not fit', async (t) => {
  const files = { ...machine, ...self('0::/\n'), ...v2('', `${MiB}`, 0) }
  const folder = writeSystemFiles(t.testdir(), files)
  const file = `${folder}/rows.csv`
  writeFileSync(file, `a,b,y\n${'1,2,3\n'.repeat(2 ** 16)}`)
  lookForSystemFilesIn(folder)
  t.teardown(() => lookForSystemFilesIn(''))
  await rejects(
    t,
    table(file, { target: 'y' }),
    OutOfMemoryError,
    `${file}: expected at most 1.00 MiB, which is available of the 1.00 MiB of the control group /, got 16.00 MiB for rows after the first 65536; read fewer columns (features, ignore), or the table in blocks: tableBlocks()`,
  )
})
