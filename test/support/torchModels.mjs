// The networks of test/fixtures/make_torch_models.py, as one writes them here.
//   node test/support/torchModels.mjs FOLDER    loads PyTorch's files and saves them there in its layout
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as nb from '../../lib/index.js'

export const layers = {
  conv1d: () => new nb.Conv1d(3, 4, 3, { padding: 1 }),
  conv2d: () => new nb.Conv2d(2, 3, [3, 2]),
  grouped: () => new nb.Conv2d(4, 6, 3, { groups: 2 }),
  depthwise: () => new nb.DepthwiseConv2d(3, 6, 3, { bias: false }),
  conv3d: () => new nb.Conv3d(2, 3, 2),
  transposed: () => new nb.ConvTranspose2d(4, 6, 3, { stride: 2, groups: 2 }),
  linear: () => new nb.Linear(5, 3),
  batch1d: () => new nb.BatchNorm1d(4),
  batch2d: () => new nb.BatchNorm2d(3),
  layer: () => new nb.LayerNorm(6),
  group: () => new nb.GroupNorm(2, 4),
  rms: () => new nb.RMSNorm(5),
  embedding: () => new nb.Embedding(7, 3),
  prelu: () => new nb.PReLU(4),
}

/** The backbone's name, and its activations as functions, differ from those in PyTorch. */
class Branches extends nb.Module {
  backbone = new nb.Sequential(
    new nb.ChannelsLast(),
    new nb.Sequential(new nb.Conv2d(2, 4, 3, { padding: 1 }), new nb.BatchNorm2d(4), new nb.ReLU()),
    new nb.MaxPool2d(2),
    new nb.Sequential(
      new nb.Conv2d(4, 4, 3, { padding: 1, groups: 2 }),
      new nb.BatchNorm2d(4),
      new nb.ReLU(),
    ),
    new nb.Flatten({ order: 'channelsFirst' }),
  )
  head = new nb.Linear(24, 3)
  forward(x) {
    return this.head.forward(this.backbone.forward(x))
  }
}

class Tied extends nb.Module {
  first = new nb.Linear(4, 4)
  again = this.first
  last = new nb.Linear(4, 4)
  constructor() {
    super()
    this.last.weight.dispose()
    this.last.weight = this.first.weight
  }
  forward(x) {
    return this.last.forward(this.again.forward(this.first.forward(x).relu()).relu())
  }
}

export const networks = {
  sequence: () =>
    new nb.Sequential(
      new nb.ChannelsLast(),
      new nb.Conv2d(1, 4, 3),
      new nb.BatchNorm2d(4),
      new nb.ReLU(),
      new nb.MaxPool2d(2),
      new nb.Flatten({ order: 'channelsFirst' }),
      new nb.Linear(24, 8),
      new nb.ReLU(),
      new nb.Dropout(0.5),
      new nb.Linear(8, 3),
    ),
  branches: () => new Branches(),
  tied: () => new Tied(),
  float16: () => nb.mlp([3, 4, 2], { activation: 'tanh' }),
  bfloat16: () => nb.mlp([3, 4, 2], { activation: 'tanh' }),
}

/** What is called otherwise, by the network. */
export const renames = { branches: { feature_extractor: 'backbone', fc: 'head' } }

export const fileOf = (name) =>
  fileURLToPath(new URL(`../fixtures/torch/${name}.safetensors`, import.meta.url))

/** All layers in one module, as the file has them. */
export class Layers extends nb.ModuleDict {
  constructor() {
    super(Object.fromEntries(Object.entries(layers).map(([name, make]) => [name, make()])))
  }
}

const folder = process.argv[2]
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, make] of Object.entries({ layers: () => new Layers(), ...networks })) {
    const model = make()
    const rename = renames[name]
    nb.loadTorch(fileOf(name), model, { rename })
    nb.saveModel(model, join(folder, `${name}.safetensors`), { layout: 'torch' }, { rename })
  }
}
