/** Reading ONNX files. */
import { optionsOf } from '../../../base/arguments.js'
import type { Tensor } from '../../../tensor/tensor.js'
import { Constants } from './constant.js'
import { metadataOf, protoOf } from './file.js'
import { graphOf } from './graph.js'
import { type OnnxInput, OnnxModel } from './model.js'

/** Settings of `loadOnnx`. */
export interface LoadOnnxOptions {
  /** The output that `forward` gives; by default the first of floats. */
  output?: string
}

/**
 * Reads a model that PyTorch, scikit-learn (skl2onnx) or this library wrote as ONNX, opset 7 to 28: a
 * module that can be called, fine-tuned by `fit`, captured and saved by `saveModel`. Values that the model
 * keeps in a file beside it are read from there, but only from within its folder. Images are
 * [batch, channels, height, width], as the file says.
 * @throws DataError for a file that is malformed, and for one with operators or attributes that are not
 *   supported, which are listed with their nodes; ArgumentError for an output that is not there
 * @example
 * const model = loadOnnx('mlp.onnx')
 * model.forward(tensor(rows)).toArray()
 * @example
 * const words = loadOnnx<[ids: Tensor<'int32'>]>('words.onnx')
 */
export function loadOnnx<Inputs extends readonly OnnxInput[] = [x: Tensor]>(
  path: string,
  options: LoadOnnxOptions = {},
): OnnxModel<Inputs> {
  const { output } = optionsOf('loadOnnx', options, { output: true })
  const proto = protoOf(path)
  const constants = new Constants(path)
  try {
    const graph = graphOf(path, proto, constants)
    const read = (name: string) => constants.read(graph.initializers.get(name)!)
    return new OnnxModel<Inputs>(path, graph, metadataOf(proto), read, output)
  } finally {
    constants.close()
  }
}
