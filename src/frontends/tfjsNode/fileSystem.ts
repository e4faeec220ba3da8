/** Models of TensorFlow.js in files: model.json, and the weights beside it. */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { io } from '@tensorflow/tfjs'
import { ArgumentError } from '../../index.js'

const SCHEME = 'file://'
const WEIGHTS = 'weights.bin'

/** What goes from the artifacts of a model into its JSON file. */
const described = [
  'format',
  'generatedBy',
  'convertedBy',
  'signature',
  'userDefinedMetadata',
  'modelInitializer',
  'initializerSignature',
  'trainingConfig',
] as const

class FileSystem implements io.IOHandler {
  constructor(readonly path: string) {}

  /** Writes model.json and weights.bin into the folder, which is made where it is missing. */
  async save(artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
    const { modelTopology, weightSpecs, weightData } = artifacts
    if (modelTopology instanceof ArrayBuffer) {
      throw new ArgumentError('save: expected a topology as JSON, got one in binary')
    }
    await mkdir(this.path, { recursive: true })
    const weights = io.CompositeArrayBuffer.join(weightData)
    const json = {
      modelTopology,
      ...Object.fromEntries(described.map((name) => [name, artifacts[name]])),
      weightsManifest: [{ paths: [WEIGHTS], weights: weightSpecs ?? [] }],
    }
    await writeFile(join(this.path, WEIGHTS), new Uint8Array(weights))
    await writeFile(join(this.path, 'model.json'), JSON.stringify(json))
    return {
      modelArtifactsInfo: { ...io.getModelArtifactsInfoForJSON(artifacts), dateSaved: new Date() },
    }
  }

  /** Reads a model.json, or that of a folder, and the weights that it names. */
  async load(): Promise<io.ModelArtifacts> {
    const isFolder = (await stat(this.path)).isDirectory()
    const path = isFolder ? join(this.path, 'model.json') : this.path
    const json = JSON.parse(await readFile(path, 'utf8')) as io.ModelJSON
    return io.getModelArtifactsForJSON(json, async (manifest) => {
      const files = manifest.flatMap(({ paths }) => paths)
      const parts = await Promise.all(files.map((file) => readFile(join(dirname(path), file))))
      const buffers = parts.map((part) => Uint8Array.from(part).buffer as ArrayBuffer)
      return [manifest.flatMap(({ weights }) => weights), io.CompositeArrayBuffer.join(buffers)]
    })
  }
}

/**
 * Saves to a folder, and loads from it or its model.json.
 * @example await model.save(tf.io.fileSystem('models/digits'))
 */
export function fileSystem(path: string): io.IOHandler {
  return new FileSystem(path)
}

/** A path after the scheme, which may be relative, as TensorFlow.js has it; or a real URL of a file. */
function pathOf(url: string): string {
  const path = url.slice(SCHEME.length)
  return path.startsWith('/') && url.includes('%') ? fileURLToPath(url) : path
}

/** Lets `file://` be saved to and loaded from by name. */
export function registerFileSystem(): void {
  const router = (url: string | string[]) =>
    typeof url === 'string' && url.startsWith(SCHEME)
      ? fileSystem(pathOf(url))
      : (null as unknown as io.IOHandler)
  io.registerLoadRouter(router)
  io.registerSaveRouter(router)
}
