/** Files of 2 GiB and more, which the system neither reads nor writes in one call. */
import fs, { openSync, writeSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { writeFileAtomically } from '../../lib/io/files.js'
import { readModelFile } from '../../lib/io/modelFile.js'

const GIB = 2 ** 30

t.test('a sparse file of more than 2 GiB is read to its end', async (t) => {
  const path = `${t.testdir()}/model.safetensors`
  const count = GIB / 2 + 3
  const begin = 4 * count
  const header = JSON.stringify({
    big: { dtype: 'F32', shape: [count], data_offsets: [0, begin] },
    last: { dtype: 'F32', shape: [2], data_offsets: [begin, begin + 8] },
  })
  const start = 8 + header.length
  const length = Buffer.alloc(8)
  length.writeUInt32LE(header.length)
  const fd = openSync(path, 'w')
  writeSync(fd, length)
  writeSync(fd, header)
  writeSync(fd, new Uint8Array(Float32Array.of(1).buffer), 0, 4, start + 2 * GIB)
  writeSync(fd, new Uint8Array(Float32Array.of(2, 3, 4).buffer), 0, 12, start + begin - 4)
  fs.closeSync(fd)
  const { tensors } = readModelFile(path)
  const { data } = tensors.get('big')!
  t.equal(data.length, count)
  t.strictSame([data[GIB / 2 - 1], data[GIB / 2], data[count - 2], data[count - 1]], [0, 1, 0, 2])
  t.strictSame(tensors.get('last')!.data, Float32Array.of(3, 4))
})

t.test('more than 2 GiB are written in calls of less, and short writes go on', async (t) => {
  const path = `${t.testdir()}/file`
  const chunk = new Uint8Array(2 * GIB + 5)
  const sizes: number[] = []
  let written = 0
  // Nothing reaches the disk; each call takes all but one byte of what it is given.
  const write = fs.writeSync
  fs.writeSync = ((_fd: number, bytes: Uint8Array, offset: number, size: number) => {
    t.equal(bytes, chunk)
    t.equal(offset, written, 'where the last call stopped')
    sizes.push(size)
    const taken = Math.max(size - 1, 1)
    written += taken
    return taken
  }) as typeof fs.writeSync
  syncBuiltinESMExports()
  try {
    writeFileAtomically(path, [chunk])
  } finally {
    fs.writeSync = write
    syncBuiltinESMExports()
  }
  t.equal(written, chunk.length)
  t.strictSame(sizes, [GIB, GIB, 7, 1])
})
