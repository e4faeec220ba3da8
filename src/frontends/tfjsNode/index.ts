/**
 * `neuroblas/tfjs-node`: in place of `@tensorflow/tfjs-node`. Everything that `@tensorflow/tfjs` exports, which is
 * to be installed beside it, on the backend `neuroblas`; models in files by `file://`; a progress
 * bar of `model.fit`; event files for TensorBoard.
 * @module neuroblas/tfjs-node
 */
import { io as coreIo, registerCallbackConstructor } from '@tensorflow/tfjs'
import '../tfjs/index.js'
import { fileSystem, registerFileSystem } from './fileSystem.js'
import { ProgressBar } from './progressBar.js'

registerFileSystem()
registerCallbackConstructor(1, ProgressBar)

export * from '@tensorflow/tfjs'
/** What tfjs-node has for TensorBoard, and for TensorFlow's own models. */
export * as node from './node.js'

/** What `tf.io` has here beside what it has everywhere. */
export interface NodeIO {
  /** Saves a model to a folder, and loads one from it or from its model.json. */
  fileSystem(path: string): coreIo.IOHandler
  /** Loads a model from an address, and saves one to it; `tf.io.http` under tfjs-node's name. */
  nodeHTTPRequest: typeof coreIo.http
}

/** As `tf.io`, and with files. */
export const io: typeof coreIo & NodeIO = { ...coreIo, fileSystem, nodeHTTPRequest: coreIo.http }
