/** A checkpoint that cannot be written, and one that two trainings want. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { DataError } from '../../lib/index.js'
import { beginOf, HERE } from '../../lib/io/processes.js'
import { decodeSafetensors } from '../../lib/io/safetensors.js'
import { inChild } from '../support/child.js'
import * as tools from '../support/childTools.mjs'
import { rejects } from '../support/engine.js'

t.test(
  'a full disk costs one warning, and the model nothing',
  {
    skip: process.platform === 'win32' && 'it has no limit to set',
  },
  async (t) => {
    const dir = t.testdir()
    // Files of 80 KiB at most: weights and velocities make 61 KB, with the best weights 91 KB. tap's hooks
    // would take the signal that Node ignores.
    const before = ['bash', '-c', 'unset NODE_OPTIONS; ulimit -f 80; exec "$@"', '--']
    const { stdout, stderr, code, signal } = await inChild(
      { before },
      async (nb, { training }, dir) => {
        const validation = nb.digits()
        const { model, done } = training(1, {
          units: [64, 100, 10],
          checkpoint: `${dir}/checkpoint`,
          keepBest: true,
          validation,
        })
        const { epochs } = await done
        nb.saveModel(model, `${dir}/model`)
        console.log(epochs.length)
        try {
          nb.saveModel(nb.mlp([64, 500, 10]), `${dir}/large`)
        } catch (error) {
          console.log((error as Error).message)
        }
      },
      dir,
    )
    t.strictSame({ code, signal }, { code: 0, signal: null }, stderr)
    t.match(stdout, /^3\nEFBIG: .* '.*large'\n$/)
    t.equal(stderr.match(/NeuroblasWarning/g)?.length, 1, stderr)
    t.match(stderr, /fit: the checkpoint .*checkpoint could not be written after epoch 1 \(EFBIG/)
    t.strictSame(readdirSync(dir).sort(), ['checkpoint', 'model'])
    const file = `${dir}/checkpoint`
    const notes = decodeSafetensors(readFileSync(file), file).metadata.training
    t.strictSame(JSON.parse(notes).epochs, [], 'as it was')
  },
)

const options = { units: [8, 6, 3], epochs: 2 }

t.test(
  'a disk that takes no lock, either: the error names it',
  {
    skip: process.platform === 'win32' && 'it has no limit to set',
  },
  async (t) => {
    const dir = t.testdir()
    const before = ['bash', '-c', 'unset NODE_OPTIONS; ulimit -f 0; exec "$@"', '--']
    const { stderr, code } = await inChild(
      { before },
      (_nb, { training }, dir) => training(1, { checkpoint: `${dir}/checkpoint` }).done,
      dir,
    )
    t.equal(code, 1)
    t.match(stderr, /EFBIG: file too large, write '.*checkpoint\.lock'/)
    t.strictSame(readdirSync(dir), [], 'no half of a lock is left')
  },
)

t.test('two trainings on one file', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const both = [1, 1].map((seed) => tools.training(seed, { ...options, checkpoint }).done)
  const outcomes = await Promise.allSettled(both)
  const refusals = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  )
  t.equal(refusals.length, 1)
  t.ok(refusals[0] instanceof DataError)
  const message = new RegExp(`file: expected a file that no other .*process ${process.pid} on `)
  t.match(refusals[0].message, message)
  t.notOk(existsSync(`${checkpoint}.lock`))
  await tools.training(1, { ...options, checkpoint }).done
})

t.test('a file that another process took over is not written', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  const pid = process.ppid
  const taken = JSON.stringify({ pid, place: HERE, began: beginOf(pid), since: 'now' })
  let before: Buffer | undefined
  const { done } = tools.training(1, {
    ...options,
    checkpoint,
    onEpoch: () => {
      before = readFileSync(checkpoint)
      writeFileSync(`${checkpoint}.lock`, taken)
    },
  })
  await rejects(t, done, DataError, new RegExp(`process ${pid} on .* since now`))
  t.ok(readFileSync(checkpoint).equals(before!))
  t.equal(readFileSync(`${checkpoint}.lock`, 'utf8'), taken)
})

t.test('a refused file is not kept locked, nor one after an error', async (t) => {
  const checkpoint = `${t.testdir()}/file`
  writeFileSync(checkpoint, 'nonsense')
  const { done } = tools.training(1, { ...options, checkpoint })
  await rejects(t, done, DataError, /file: expected/)
  const onEpoch = () => {
    throw new Error('stop')
  }
  const failing = tools.training(1, { ...options, checkpoint: `${checkpoint}2`, onEpoch })
  await t.rejects(failing.done, new Error('stop'))
  t.strictSame(readdirSync(dirname(checkpoint)).sort(), ['file', 'file2'])
})
