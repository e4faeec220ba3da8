/** `tf.node` of tfjs-node: what it has beside the backend. */

import {
  type Callback,
  CustomCallback,
  type Logs,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs'
import { ArgumentError, NeuroblasError } from '../../index.js'
import { checkCount, checkNumber, checkPath, excerpt, optionsOf } from '../../internal.js'
import { EventFile } from './eventFile.js'
import { numberOf } from './values.js'

export {
  decodeBmp,
  decodeGif,
  decodeImage,
  decodeJpeg,
  decodePng,
  encodeJpeg,
  encodePng,
} from './images.js'

function checkPlace(op: string, name: string, step: number): void {
  if (typeof name !== 'string') {
    throw new ArgumentError(`${op}: expected a name, got ${excerpt(name)}`)
  }
  const isStep = (value: number) => Number.isSafeInteger(value) && value >= 0
  checkNumber(op, 'step', step, isStep, 'to be a whole number from 0')
}

/** Writes what TensorBoard shows of a run; every call is in its file when it returns. */
export class SummaryFileWriter {
  readonly #file: EventFile

  /** Begins an event file in a folder, which is made where it is missing. @throws ArgumentError for no path */
  constructor(logdir: string, filenameSuffix = '') {
    checkPath('summaryFileWriter', logdir)
    this.#file = new EventFile(logdir, filenameSuffix)
  }

  /**
   * One number of a step, a whole number from 0.
   * @throws ArgumentError for other steps and for what is no number
   * @example writer.scalar('loss', 0.25, step)
   */
  scalar(name: string, value: number | Scalar, step: number): void {
    checkPlace('scalar', name, step)
    this.#file.scalar(name, numberOf('scalar', value), step)
  }

  /**
   * The spread of a tensor's values, over buckets of one width.
   * @throws ArgumentError for steps that are no whole numbers from 0, for no buckets, and for what is no tensor
   */
  histogram(name: string, data: Tensor | number[], step: number, buckets = 30): void {
    checkPlace('histogram', name, step)
    checkCount('histogram', 'buckets', buckets)
    if (!Array.isArray(data) && typeof data?.dataSync !== 'function') {
      throw new ArgumentError(`histogram: expected a tensor or numbers, got ${excerpt(data)}`)
    }
    const values = Array.isArray(data) ? data : data.dataSync()
    this.#file.histogram(name, values as ArrayLike<number>, step, buckets)
  }

  /** Nothing is left to be written. */
  flush(): void {}
}

/**
 * A writer of event files, which TensorBoard reads: `tensorboard --logdir FOLDER`.
 * @param logdir the folder of the run
 * @param _maxQueue not needed here: nothing waits to be written
 * @param _flushMillis not needed, either
 * @param filenameSuffix the end of the file's name
 */
export function summaryFileWriter(
  logdir: string,
  _maxQueue?: number,
  _flushMillis?: number,
  filenameSuffix?: string,
): SummaryFileWriter {
  return new SummaryFileWriter(logdir, filenameSuffix)
}

/** When losses and metrics are written: after every `batch`, or, by default, after every `epoch`. */
export interface TensorBoardOptions {
  /** `batch` or `epoch`. */
  updateFreq?: 'batch' | 'epoch'
}

/**
 * A callback of `model.fit` that writes losses and metrics for TensorBoard: those of training to the folder
 * `train` in logdir, those of validation to `val`.
 * @example await model.fit(x, y, { callbacks: tf.node.tensorBoard('runs/1') })
 */
export function tensorBoard(logdir: string, options: TensorBoardOptions = {}): Callback {
  checkPath('tensorBoard', logdir)
  const { updateFreq = 'epoch' } = optionsOf('tensorBoard', options, { updateFreq: true })
  if (updateFreq !== 'batch' && updateFreq !== 'epoch') {
    throw new ArgumentError(`tensorBoard: expected updateFreq batch or epoch, got ${updateFreq}`)
  }
  const writers = new Map<string, SummaryFileWriter>()
  const write = (prefix: string, logs: Logs | undefined, step: number) => {
    for (const [name, value] of Object.entries(logs ?? {})) {
      if (name === 'batch' || name === 'size') continue
      const isValidation = name.startsWith('val_')
      const folder = `${logdir}/${isValidation ? 'val' : 'train'}`
      if (!writers.has(folder)) writers.set(folder, new SummaryFileWriter(folder))
      const metric = isValidation ? name.slice('val_'.length) : name
      writers.get(folder)!.scalar(`${prefix}_${metric}`, value as number | Scalar, step)
    }
  }
  let batches = 0
  return new CustomCallback({
    onBatchEnd: async (_, logs) => {
      if (updateFreq === 'batch') write('batch', logs, batches++)
    },
    onEpochEnd: async (epoch, logs) => write('epoch', logs, epoch),
  }) as unknown as Callback
}

/** TensorFlow's own format is not read here: tensorflowjs_converter makes a model of TensorFlow.js of it. */
export async function loadSavedModel(path: string): Promise<never> {
  throw new NeuroblasError(
    `loadSavedModel: expected a model of TensorFlow.js, got the SavedModel ${path}; convert it: ` +
      'tensorflowjs_converter --input_format=tf_saved_model SAVED_MODEL FOLDER, then loadGraphModel',
  )
}
