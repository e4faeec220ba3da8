// A short training with everything that a checkpoint holds; prints a digest of what it ends with.
// Kept as one checkpoint, or as a run, whose checkpoints are also within epochs.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  dataset,
  distortion,
  fit,
  Generator,
  mlp,
  SGD,
  schedules,
  softmaxCrossEntropy,
} from '../../lib/index.js'

const [folder, keeps] = process.argv.slice(2)
const SIZE = 120
const data = dataset({
  inputs: new Generator(1).normal([SIZE, 16]).data(),
  inputShape: [16],
  targets: Int32Array.from({ length: SIZE }, (_, i) => i % 3),
})
const model = mlp([16, 24, 3], { dropout: 0.3, generator: new Generator(2) })
const optimizer = new SGD(model.parameters(), { lr: schedules.cosine(0.1, 400), momentum: 0.9 })
const history = await fit(model, data, {
  loss: softmaxCrossEntropy,
  optimizer,
  epochs: 20,
  batchSize: 7,
  seed: 3,
  validation: 0.2,
  keepBest: true,
  augment: distortion({ imageShape: [4, 4], alpha: 5, sigma: 2, rotation: 20 }),
  metrics: ['f1'],
  ...(keeps === 'run'
    ? { run: { folder: join(folder, 'run'), every: 5 } }
    : { checkpoint: join(folder, 'checkpoint') }),
})
const hash = createHash('sha256')
for (const parameter of model.parameters()) hash.update(parameter.data())
const withoutTimes = ({ seconds: _, examplesPerSecond: __, ...figures }) => figures
hash.update(JSON.stringify([history.bestEpoch, history.epochs.map(withoutTimes)]))
if (keeps === 'run') {
  const lines = readFileSync(join(folder, 'run', 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
  hash.update(JSON.stringify(lines.map((line) => withoutTimes(JSON.parse(line)))))
}
process.stdout.write(hash.digest('hex'))
