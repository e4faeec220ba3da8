/**
 * The published types, as a strict project sees them that has neither Node's types nor those of browsers:
 * what compiles there, and what must not.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const pathOf = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url))

const program = `
import {
  type Batch, capture, DataLoader, type Dataset, dataset, digits, evaluate, fit, type Loss, Linear, mlp, Module,
  mse, preprocess, SGD, saveModel, Sequential, softmaxCrossEntropy, split, subset, type TargetKind, Tensor, tensor,
} from 'neuroblas'
import * as blas from 'neuroblas/blas'
import * as keras from 'neuroblas/keras'
import * as plot from 'neuroblas/plot'
import * as sklearn from 'neuroblas/sklearn'
export { blas, keras, plot, sklearn }

// A loss is a function of outputs and values.
const myMse: Loss = (outputs, targets) => outputs.sub(targets).square().mean()
const byLabels: Loss<'labels'> = (outputs, labels) => softmaxCrossEntropy(outputs, labels)
const byEither: Loss<TargetKind> = mse

// Data sets know what their targets are, and so do their batches.
const inputs = [[0, 1], [1, 0]]
const labels: Dataset<'labels'> = dataset({ inputs, targets: [0, 1], classes: ['a', 'b'] })
const values: Dataset<'values'> = dataset({ inputs, targets: [[0.5], [1]] })
const counts: Dataset<'values'> = dataset({ inputs, targets: [3, 5], task: 'regress' })
const flags: Dataset<'labels'> = dataset({ inputs, targets: Float32Array.of(1, 0), task: 'classify' })
const whole: Int32Array = subset(split(digits(), 0.2, 1).train, [1, 2]).targets
const floats: Float32Array = preprocess(values, { mean: [0], scale: [1] }).targets
for (const batch of new DataLoader(labels)) {
  const { targets }: Batch<'labels'> = batch
  softmaxCrossEntropy(batch.inputs, targets)
  const picks: Tensor<'int32'> = targets
  // @ts-expect-error labels are no floats
  batch.inputs.sub(targets)
}
for (const { inputs, targets } of new DataLoader(values)) inputs.sub(targets)

const model = mlp([2, 4, 1])
const options = { optimizer: new SGD(model.parameters(), { lr: 0.1 }), epochs: 1 }
fit(model, values, { ...options, loss: myMse, validation: counts })
fit(model, labels, { ...options, loss: byLabels, validation: flags })
fit(model, labels, { ...options, loss: byEither })
fit(model, counts, { ...options, loss: mse, validation: 0.5 })
evaluate(model, values, { loss: myMse })
export const trainOn = (data: Dataset) => fit(model, data, { ...options, loss: myMse })
// @ts-expect-error a loss of values does not take labels
fit(model, labels, { ...options, loss: myMse })
// @ts-expect-error nor one of labels values
evaluate(model, values, { loss: byLabels })
// @ts-expect-error labels do not validate what is trained on values
fit(model, values, { ...options, loss: mse, validation: labels })
// @ts-expect-error there is no such task
dataset({ inputs, targets: [3, 5], task: 'regression' })
// @ts-expect-error names are no targets
dataset({ inputs, targets: ['a', 'b'] })

// Arrays by rank.
const x = tensor([[1, 2], [3, 4]])
const rows: number[][] = x.toArray(2)
const row: number[] = x.sum(0).toArray(1)
const sum: number = x.sum().toArray(0)
// @ts-expect-error without a rank it may be any
const unknown: number[][] = x.toArray()
export const shown = [rows, row, sum, unknown, whole, floats]

// Whole numbers and truth values.
const counts32: Tensor<'int32'> = tensor([1, 2], [2], 'int32').add(1).mul(tensor([2, 3], [2], 'int32')).sum()
const shares: Tensor = counts32.div(2).exp()
const quotients: Tensor<'int32'> = counts32.div(2, { roundingMode: 'floor' }).max()
const mask: Tensor<'bool'> = x.greater(0).logicalAnd(counts32.less(5)).any(0)
const howMany: Tensor<'int32'> = mask.sum()
export const more = [shares, quotients, howMany, x.maxWithIndices(0).values.exp(), x.div(x).add(1)]
// @ts-expect-error there are no mixed operands
x.add(counts32)
// @ts-expect-error truth values have no arithmetic
mask.add(mask)

// Modules of several inputs and outputs.
class Gated extends Module<[x: Tensor, gate: Tensor], { y: Tensor; open: Tensor }> {
  readonly inner = new Linear(2, 2)
  forward(x: Tensor, gate: Tensor) {
    const open = gate.sigmoid()
    return { y: this.inner.forward(x).mul(open), open }
  }
}
class Cell extends Module<[x: Tensor, state?: Tensor], [y: Tensor, state: Tensor]> {
  forward(x: Tensor, state = x): [Tensor, Tensor] {
    return [x.add(state), state]
  }
}
class Net extends Module {
  readonly gated = new Gated()
  readonly cell = new Cell()
  forward(x: Tensor): Tensor {
    const [y] = this.cell.forward(this.gated.forward(x, x).y)
    return y
  }
}
const gated = new Gated()
const { y, open } = gated.forward(x, x)
saveModel(gated, 'file.safetensors')
fit(new Net(), values, { ...options, loss: mse })
new Sequential(new Net(), new Linear(2, 1))
export const step = capture((x: Tensor, gate: Tensor) => gated.forward(x, gate))
export const results: Tensor[] = [y, open, step(x, x).open]
// @ts-expect-error one input is not enough
gated.forward(x)
// @ts-expect-error fit gives a model one tensor
fit(gated, values, { ...options, loss: mse })
// @ts-expect-error so do sequences
new Sequential(new Gated())

export function temporary(): number {
  using sum = x.sum()
  return sum.item()
}
`

const projects = {
  'without types of any host': { lib: ['es2022'], module: 'nodenext' },
  'bundled, for browsers': {
    lib: ['es2022', 'dom'],
    module: 'esnext',
    moduleResolution: 'bundler',
  },
  'stricter than strict': {
    lib: ['es2022'],
    module: 'nodenext',
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    isolatedModules: true,
  },
}

for (const [name, options] of Object.entries(projects)) {
  t.test(name, async (t) => {
    const compilerOptions = {
      target: 'es2022',
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      ...options,
    }
    const folder = t.testdir({
      node_modules: { neuroblas: t.fixture('symlink', pathOf('.')) },
      'package.json': '{ "private": true, "type": "module" }',
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['program.ts'] }),
      'program.ts': program,
    })
    const tsc = pathOf('node_modules/typescript/bin/tsc')
    const ended = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch((e) => e)
    t.equal(ended.stdout, '')
  })
}
