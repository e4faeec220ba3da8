/** JSON text from files, which may be nested so deep that reading it leaves no stack. */
import { writeFileSync } from 'node:fs'
import t from 'tap'
import {
  DataError,
  fit,
  iris,
  loadClassifier,
  loadMlp,
  mlp,
  SGD,
  saveMlp,
  setBackend,
  softmaxCrossEntropy,
} from '../../lib/index.js'
import { encodeSafetensors } from '../../lib/io/safetensors.js'
import { rejects } from '../support/engine.js'
import { refuses } from '../support/reference.js'

setBackend('native')
const DEEP = 200_000
const deep = '['.repeat(DEEP) + ']'.repeat(DEEP)

t.test('deep JSON in the notes of a checkpoint', async (t) => {
  const model = mlp([4, 3])
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const checkpoint = `${t.testdir()}/deep.safetensors`
  for (const training of [deep, `{"settings":${deep},"epochs":[],"steps":0}`, '"['.repeat(9)]) {
    writeFileSync(checkpoint, encodeSafetensors(model.stateDict(), { training }))
    const training2 = fit(model, iris(), {
      loss: softmaxCrossEntropy,
      optimizer,
      epochs: 1,
      checkpoint,
    })
    await rejects(t, training2, DataError, /deep\.safetensors: /)
  }
})

t.test('deep JSON in those of models', async (t) => {
  const path = `${t.testdir()}/deep.safetensors`
  const architecture = { units: [2, 2], activation: 'relu' } as const
  saveMlp(mlp([2, 2]), path, architecture, { classes: deep })
  refuses(t, () => loadClassifier(path), DataError, /expected a name for each class/)
  saveMlp(mlp([2, 2]), path, architecture, { classes: 'a, b' })
  refuses(t, () => loadClassifier(path), DataError, /expected a name for each class/)
  saveMlp(mlp([2, 2]), path, architecture, { classes: JSON.stringify(['[', '"[{']) })
  t.strictSame(loadClassifier(path).classes, ['[', '"[{'], 'brackets in text count for nothing')
  writeFileSync(path, encodeSafetensors(mlp([2, 2]).stateDict(), { architecture: deep }))
  refuses(t, () => loadMlp(path), DataError, /expected an architecture/)
})
