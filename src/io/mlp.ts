/** Networks of `mlp`, `convnet` and `tableNetwork` as files that say what they are built from. */
import { optionsOf } from '../base/arguments.js'
import { ArgumentError, DataError, excerpt, spelled } from '../base/errors.js'
import { parseJson } from '../base/text.js'
import { type ConvnetOptions, convnet, type ImageShape } from '../nn/convnet.js'
import { Dropout } from '../nn/dropout.js'
import { zeros } from '../nn/init.js'
import { Linear } from '../nn/linear.js'
import { checkModule, type Module } from '../nn/module.js'
import { type ActivationName, activations, mlp, Sequential } from '../nn/sequential.js'
import { embeddedMlp, type TableEmbedding } from '../nn/tableNetwork.js'
import { Generator } from '../tensor/random.js'
import { format, sizeOf } from '../tensor/shape.js'
import { fill, saveModel } from './model.js'
import { readModelFile } from './modelFile.js'

/** What an `mlp` is built from, as it is kept in a file. */
export interface MlpArchitecture {
  /** Units of each layer, from the inputs to the outputs. */
  units: readonly number[]
  /** Of the hidden units. */
  activation: ActivationName
  /** Probability of dropping a hidden unit while training. */
  dropout?: number
  /** Probability of dropping an input while training. */
  inputDropout?: number
  /** What stands before the other layers in a network of `convnet`; `units` begin with its pixels. */
  convolutions?: {
    /** [height, width, channels] */
    image: ImageShape
    /** Of each stage. */
    filters: readonly number[]
    /** Whether means of the channels follow, as `convnet` has it. */
    pooling?: 'avg'
  }
  /** What `embeddingsOf` says, in a network of `tableNetwork`; `units` begin with the width of an encoded row. */
  embeddings?: readonly TableEmbedding[]
}

const ARCHITECTURE: Record<keyof MlpArchitecture, true> = {
  units: true,
  activation: true,
  dropout: true,
  inputDropout: true,
  convolutions: true,
  embeddings: true,
}

/**
 * Writes a multi-layer perceptron, or a network of `convnet` or `tableNetwork`, with what it takes to build it
 * again.
 * @throws ArgumentError when the architecture is not that of the model, DivergenceError as `saveModel`
 */
export function saveMlp(
  model: Module,
  path: string,
  architecture: MlpArchitecture,
  metadata: Record<string, string> = {},
): void {
  checkModule('saveMlp', model)
  const checked = checkArchitecture(model, architecture)
  saveModel(model, path, { ...metadata, architecture: JSON.stringify(checked) })
}

/**
 * Builds the network that `saveMlp` wrote, ready to be asked (`eval`). Of a file that
 * `saveClassifier` or `neuroblas train` wrote it gives the network alone; `loadClassifier` also
 * knows its classes and what raw features go through first.
 * @throws DataError when the file is malformed or does not say what it holds
 */
export function loadMlp(path: string): {
  /** In `eval`. */
  model: Sequential
  /** What it was built from. */
  architecture: MlpArchitecture
  /** All text of the file. */
  metadata: Record<string, string>
} {
  const file = readModelFile(path)
  const architecture = parseArchitecture(file.metadata.architecture, path)
  const model = build(architecture, path)
  const metadata = fill(model, file, path)
  model.eval()
  return { model, architecture, metadata }
}

function build(architecture: MlpArchitecture, path: string): Sequential {
  try {
    return networkOf(architecture, {})
  } catch (error) {
    throw new DataError(`${path}: expected an architecture, ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function networkOf(
  { units, convolutions, embeddings, inputDropout, ...options }: MlpArchitecture,
  weights: Pick<ConvnetOptions, 'init' | 'generator'>,
): Sequential {
  if (embeddings !== undefined) {
    if (convolutions === undefined && inputDropout === undefined) {
      return embeddedMlp(units, embeddings, { ...options, ...weights })
    }
    throw new ArgumentError('expected embeddings without convolutions and inputDropout')
  }
  if (convolutions === undefined) return mlp(units, { ...options, inputDropout, ...weights })
  const { image, filters, pooling } = convolutions
  const [pixels, ...others] = units
  const network = convnet(image, filters, others, { ...options, ...weights, pooling })
  if (pixels === sizeOf(image) && inputDropout === undefined) return network
  throw new ArgumentError(
    `expected units that begin with ${sizeOf(image)} pixels, and no inputDropout, got ${excerpt(units)}`,
  )
}

function checkArchitecture(model: Module, given: MlpArchitecture): MlpArchitecture {
  const architecture = optionsOf('saveMlp: architecture', given, ARCHITECTURE)
  const { units, activation, convolutions, embeddings } = architecture
  if (convolutions !== undefined) return checkWhole('convnet', model, architecture)
  if (embeddings !== undefined) return checkWhole('tableNetwork', model, architecture)
  const weights = model.parameters().filter(({ shape }) => shape.length === 2)
  const found =
    weights.length > 0 ? [weights[0].shape[0], ...weights.map(({ shape }) => shape[1])] : []
  const layers: readonly Module[] = model instanceof Sequential ? model.layers : []
  const names = Object.keys(activations) as ActivationName[]
  const other = names.find(
    (name) => name !== activation && layers.some((layer) => layer instanceof activations[name]),
  )
  const fits = Array.isArray(units) && String(found) === String([...units])
  if (!fits || other !== undefined) {
    throw new ArgumentError(
      `saveMlp: expected the architecture of the model, units [${found.join(', ')}]${other ? ` and ${other}` : ''}, got ${excerpt(units)} and ${spelled(activation)}`,
    )
  }
  const drawn = sketch(architecture)
  const wanted = signature(drawn)
  drawn.dispose()
  if (signature(model) === wanted) return architecture
  throw new ArgumentError(
    `saveMlp: expected a model as mlp makes it of this architecture, ${wanted}, got ${signature(model)}; saveModel takes any`,
  )
}

function checkWhole(maker: string, model: Module, architecture: MlpArchitecture): MlpArchitecture {
  const wanted = networkOf(architecture, { init: zeros, generator: new Generator(0) })
  const seen = (network: Module) =>
    `${signature(network)} with weights ${network
      .parameters()
      .map(({ shape }) => format(shape))
      .join(' ')}`
  const [found, expected] = [seen(model), seen(wanted)]
  wanted.dispose()
  if (found === expected) return architecture
  throw new ArgumentError(
    `saveMlp: expected a model as ${maker} makes it of this architecture, ${expected}, got ${found}; saveModel takes any`,
  )
}

/** What `mlp` makes of an architecture, with a single unit in each layer. */
function sketch({ units, ...options }: MlpArchitecture): Sequential {
  const ones = units.map(() => 1)
  return mlp(ones, { ...options, init: zeros, generator: new Generator(0) })
}

/** The layers of a model, with what is not seen in its units. */
function signature(model: Module): string {
  if (!(model instanceof Sequential)) return model.constructor.name
  const layers = model.layers.map((layer: Module) => {
    const { name } = layer.constructor
    if (layer instanceof Dropout) return `${name}(${layer.p})`
    return layer instanceof Linear && layer.bias === null ? `${name} without bias` : name
  })
  return layers.join(', ')
}

function parseArchitecture(text: string | undefined, path: string): MlpArchitecture {
  if (text === undefined) {
    throw new DataError(
      `${path}: expected a model that neuroblas saved, found no architecture in it`,
    )
  }
  try {
    const architecture = parseJson(text) as MlpArchitecture
    const { units, activation, dropout, inputDropout, convolutions, embeddings } = architecture
    if (!Array.isArray(units) || typeof activation !== 'string') throw new ArgumentError('no units')
    return {
      units,
      activation,
      dropout,
      inputDropout,
      ...(convolutions && { convolutions }),
      ...(embeddings && { embeddings }),
    }
  } catch (error) {
    throw new DataError(`${path}: expected an architecture, found ${text.slice(0, 100)}`, {
      cause: error,
    })
  }
}
