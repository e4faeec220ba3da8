/** Models of TensorFlow.js in files: model.json, and the weights beside it. */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { io } from '@tensorflow/tfjs'
import { ArgumentError, DataError } from '../../index.js'
import { checkPath, excerpt } from '../../internal.js'

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
    const json = modelOf(path, await readFile(path, 'utf8'))
    return io.getModelArtifactsForJSON(json, async (manifest) => {
      const files = manifest.flatMap(({ paths }) => paths)
      const parts = await Promise.all(files.map((file) => readFile(join(dirname(path), file))))
      const buffers = parts.map((part) => Uint8Array.from(part).buffer as ArrayBuffer)
      return [manifest.flatMap(({ weights }) => weights), io.CompositeArrayBuffer.join(buffers)]
    })
  }
}

/** @throws DataError for what is no model in JSON */
function modelOf(path: string, text: string): io.ModelJSON {
  const refusal = (got: unknown) =>
    new DataError(`load: expected a model of TensorFlow.js in ${path}, got ${excerpt(got)}`)
  let json: io.ModelJSON | null
  try {
    json = JSON.parse(text)
  } catch {
    throw refusal(text)
  }
  if (!json?.modelTopology || !Array.isArray(json.weightsManifest)) throw refusal(json)
  return json
}

/**
 * Saves to a folder, and loads from it or its model.json.
 * @throws ArgumentError for what is no path
 * @example await model.save(tf.io.fileSystem('models/digits'))
 */
export function fileSystem(path: string): io.IOHandler {
  checkPath('fileSystem', path)
  return new FileSystem(path)
}

/** A path after the scheme, which may be relative, as TensorFlow.js has it; or a real URL of a file. */
function pathOf(url: string): string {
  const path = url.slice(SCHEME.length)
  if (!(path.startsWith('/') && url.includes('%'))) return path
  try {
    return fileURLToPath(url)
  } catch (error) {
    // A path with a % of its own.
    if (error instanceof URIError) return path
    throw error
  }
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
