/** One training run of the command line, from the data set's name to the saved model. */

import { existsSync } from 'node:fs'
import {
  convnet,
  type Dataset,
  DivergenceError,
  embeddingsOf,
  evaluate,
  type FitOptions,
  fit,
  fitPreprocessing,
  getNumThreads,
  l1,
  l2,
  type MlpArchitecture,
  mlp,
  type Optimizer,
  preprocess,
  type Sequential,
  ShapeError,
  saveClassifier,
  saveRegressor,
  schedules,
  setBackend,
  setNumThreads,
  setSeed,
  softmaxCrossEntropyLoss,
  type TableEncoding,
  type TrainingHistory,
  tableNetwork,
} from '../../index.js'
import { currentBackend, epochTitle, isImageFolder, losses, noteTest } from '../../internal.js'
import { hasOwnTest, holdOut, readData } from './data.js'
import type { EndEvent, Reporter } from './events.js'
import { readImageProblem } from './images.js'
import { optimizers } from './optimizers.js'
import { UsageError } from './options.js'
import type { Problem, TrainingOptions } from './problem.js'
import { regressionFigures } from './regression.js'
import { runOf } from './run.js'
import { checkFolder, checkOutputs } from './savePath.js'
import type { Interrupt } from './signals.js'
import { note } from './table.js'
import { balancedWeights, overviewOf, reportOn } from './tableReport.js'
import { isTable, readTableProblem } from './tables.js'

/** The three parts of a data set that is no table, preprocessed by what the training part says. */
export function readProblem(source: string, seed: number): Problem {
  const by = hasOwnTest(source) ? 'chance' : 'class'
  const { train: all, test } = readData(source, seed)
  const { train, validation } = holdOut(all, seed, by)
  const preprocessing = fitPreprocessing(train)
  const { imageShape } = train
  return {
    name: train.name,
    task: 'classify',
    classes: train.classes,
    preprocessing,
    ...(imageShape && { image: [...imageShape, 1] }),
    split: { by },
    train: preprocess(train, preprocessing),
    validation: preprocess(validation, preprocessing),
    test: preprocess(test, preprocessing),
  }
}

export function buildNetwork(problem: Problem, options: TrainingOptions) {
  const inputs = problem.train.inputs.length / problem.train.size
  const outputs = problem.task === 'regress' ? 1 : problem.classes.length
  const { activation, dropout, layers, network, filters } = options
  const units = [inputs, ...layers, outputs]
  setSeed(options.seed)
  if (network === 'dense') {
    const { encoding } = problem
    if (encoding === undefined) {
      const model = mlp(units, { activation, dropout })
      return { architecture: { units, activation, dropout }, model }
    }
    const embeddings = embeddingsOf(encoding)
    const model = tableNetwork(encoding, units.slice(1), { activation, dropout })
    const found = embeddings.length > 0 ? { embeddings } : {}
    return { architecture: { units, activation, dropout, ...found }, model }
  }
  const { image } = problem
  if (image === undefined) {
    throw new UsageError(
      `--network: expected dense for what are no images, got conv for ${problem.name}`,
    )
  }
  const architecture = { units, activation, dropout, convolutions: { image, filters } }
  try {
    return { architecture, model: convnet(image, filters, units.slice(1), { activation, dropout }) }
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new UsageError(`--filters: ${error.message}`)
  }
}

export function buildOptimizer(
  model: Sequential,
  examples: number,
  options: TrainingOptions,
): Optimizer {
  const steps = Math.ceil(examples / options.batchSize) * options.epochs
  const settings = {
    lr: schedules.cosine(options.lr, steps),
    regularizer: [
      ...(options.l1 > 0 ? [l1(options.l1)] : []),
      ...(options.l2 > 0 ? [l2(options.l2)] : []),
    ],
  }
  return optimizers[options.optimizer].make(model.parameters(), settings, options.momentum)
}

async function problemOf(
  source: string,
  options: TrainingOptions,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<Problem> {
  if (isTable(source)) {
    const { notes, ...problem } = await unlessStopped(interrupt, () =>
      readTableProblem(source, options, options.seed),
    )
    for (const text of notes) note(text)
    return problem
  }
  if (await isImageFolder(source)) return imageProblem(source, options, reporter, interrupt)
  return readProblem(source, options.seed)
}

/** Does what comes before there is a model to be saved: a signal ends the process. */
async function unlessStopped<T>(interrupt: Interrupt, work: () => Promise<T>): Promise<T> {
  const { signal } = interrupt
  // Not process.exit, which waits for a query that runs in a thread.
  const quit = () => process.kill(process.pid, interrupt.caught)
  if (signal.aborted) quit()
  signal.addEventListener('abort', quit)
  try {
    return await work()
  } finally {
    signal.removeEventListener('abort', quit)
  }
}

async function imageProblem(
  source: string,
  options: TrainingOptions,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<Problem> {
  const onProgress = (read: number, of: number) => reporter.reading({ read, of })
  const read = await unlessStopped(interrupt, () =>
    readImageProblem(source, options, options.seed, onProgress),
  )
  const { notes, format, ...parts } = read
  for (const text of notes) note(text)
  const image = [...format.size, format.channels] as const
  const preprocessing = fitPreprocessing(parts.train)
  return { task: 'classify', ...parts, preprocessing, image, images: format }
}

function saveModel(
  model: Sequential,
  path: string,
  architecture: MlpArchitecture,
  problem: Problem,
  { seed, loss }: TrainingOptions,
  testAccuracy: number | null,
): void {
  const { name: dataset, classes, preprocessing, encoding, images, split } = problem
  if (testAccuracy === null) {
    saveRegressor(model, path, architecture, {
      dataset,
      seed,
      split,
      encoding: encoding as TableEncoding,
      loss,
    })
  } else {
    const notes = {
      ...{ dataset, seed, split, classes, preprocessing, encoding, images, loss },
      testAccuracy,
    }
    saveClassifier(model, path, architecture, notes)
  }
}

/**
 * Trains, evaluates, saves and reports; an interrupt only shortens the training.
 * @param settle what the options are for this data
 */
export async function runTraining(
  source: string,
  given: TrainingOptions,
  reporter: Reporter,
  interrupt: Interrupt,
  settle: (problem: Problem) => TrainingOptions = () => given,
): Promise<EndEvent> {
  const outputs = { '--checkpoint': given.checkpoint, '--save': given.save }
  checkOutputs(outputs, existsSync(source) ? source : undefined)
  if (given.run !== undefined) checkFolder('--run', given.run)
  if (given.backend) setBackend(given.backend)
  if (given.threads) setNumThreads(given.threads)
  const problem = await problemOf(source, given, reporter, interrupt)
  const options = settle(problem)
  const { architecture, model } = buildNetwork(problem, options)
  const { units } = architecture
  const { layers, network, filters, metrics, backend, threads, save, run, ...settings } = options
  reporter.start({
    dataset: problem.name,
    kind: problem.image ? 'images' : 'examples',
    trainExamples: problem.train.size,
    validationExamples: problem.validation.size,
    testExamples: problem.test.size,
    layers: units,
    ...(network === 'conv' && { filters }),
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    ...settings,
    task: problem.task,
    target: problem.target,
    ...(problem.columns && { table: overviewOf(problem) }),
    backend: currentBackend().name,
    threads: getNumThreads(),
  })
  const { history, speed, seconds } = await train(
    model,
    problem,
    options,
    runOf(source, options),
    reporter,
    interrupt,
  )
  const trained = history.epochs.length > 0
  if (!trained && history.ended === 'diverged') {
    throw new DivergenceError('train: diverged before the end of the first epoch; nothing saved')
  }
  // A first epoch that was interrupted taught little: its weights must not replace those of a file.
  const isWhole = history.epochs[0]?.examples === problem.train.size
  const left = !isWhole && save !== false && existsSync(save) ? save : null
  const saved = trained && save !== false && left === null ? save : null
  const loss = losses[options.loss]
  const tested = trained
    ? await evaluate(model, problem.test, { loss, metrics: options.metrics })
    : undefined
  const regressor = problem.encoding && {
    model,
    inputs: units[0],
    encoding: problem.encoding,
    loss: options.loss,
  }
  const regression =
    tested && regressor && problem.task === 'regress'
      ? regressionFigures(regressor, problem.test)
      : undefined
  const testAccuracy = tested?.accuracy ?? null
  if (run !== undefined && tested) {
    noteTest(run, {
      ...tested,
      ...(regression && { metrics: { ...tested.metrics, ...regression } }),
    })
  }
  if (saved !== null) saveModel(model, saved, architecture, problem, options, testAccuracy)
  const kept = history.epochs[history.bestEpoch - 1]
  const end: EndEvent = {
    testAccuracy,
    testR2: regression?.r2 ?? null,
    testMae: regression?.mae ?? null,
    testLoss: tested?.loss ?? null,
    ...(tested?.metrics && { testMetrics: tested.metrics }),
    ...(tested && problem.encoding && { report: await reportOn(problem, model, options.loss) }),
    loss: kept?.loss ?? null,
    regularizationLoss: kept?.regularizationLoss ?? null,
    validationAccuracy: kept?.validationAccuracy ?? null,
    bestEpoch: history.bestEpoch,
    epochs: history.epochs.length,
    ended: history.ended === 'aborted' ? (interrupt.caught as string) : history.ended,
    examplesPerSecond: speed,
    backend: currentBackend().name,
    threads: getNumThreads(),
    seconds,
    saved,
    left,
  }
  model.dispose()
  reporter.end(end)
  if (run !== undefined && interrupt.caught) note(`${run}: --resume goes on with it`)
  return end
}

/** Weights of classes are part of the loss where it has them, so that the validation is weighted, too. */
function lossFor(train: Dataset, { loss, classWeights }: TrainingOptions) {
  if (classWeights !== 'balanced' || loss !== 'cross-entropy') return losses[loss]
  return softmaxCrossEntropyLoss({ classWeights: balancedWeights(train) })
}

async function train(
  model: Sequential,
  problem: Problem,
  options: TrainingOptions,
  run: FitOptions['run'],
  reporter: Reporter,
  { signal }: Interrupt,
): Promise<{ history: TrainingHistory; speed: number; seconds: number }> {
  const { batchSize, epochs, seed, patience, checkpoint, resumeWith, onDivergence } = options
  const begin = performance.now()
  let examples = 0
  let total = 0
  let seconds = 0
  const history = await fit(model, problem.train, {
    loss: lossFor(problem.train, options),
    optimizer: buildOptimizer(model, problem.train.size, options),
    epochs,
    batchSize,
    seed,
    validation: problem.validation,
    keepBest: true,
    ...(patience !== undefined && { earlyStopping: { patience } }),
    onDivergence,
    metrics: options.metrics,
    ...(options.classWeights === 'balanced' &&
      options.loss !== 'cross-entropy' && { classWeights: 'balanced' as const }),
    checkpoint,
    run,
    resumeWith,
    signal,
    onStep({ epoch, step, stepsPerEpoch, loss }) {
      examples = Math.min(step * batchSize, problem.train.size)
      const title = epochTitle(epoch, epochs)
      const done = step / stepsPerEpoch
      reporter.step({ title, done, whole: (epoch - 1 + done) / epochs, loss, examples })
    },
    onEpoch(report) {
      total += examples
      seconds += examples / report.examplesPerSecond
      reporter.epoch({ ...report, epochs })
    },
  })
  const speed = seconds > 0 ? total / seconds : 0
  return { history, speed, seconds: (performance.now() - begin) / 1000 }
}
