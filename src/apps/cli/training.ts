/** One training run of the command line, from the data set's name to the saved model. */

import { existsSync } from 'node:fs'
import {
  type Dataset,
  DivergenceError,
  type FitOptions,
  fit,
  getNumThreads,
  type ImageShape,
  imageAugmentation,
  type MlpArchitecture,
  type Sequential,
  saveClassifier,
  saveRegressor,
  setBackend,
  setNumThreads,
  softmaxCrossEntropyLoss,
  type TableEncoding,
  type TrainingHistory,
} from '../../index.js'
import { currentBackend, epochTitle, losses, noteTest } from '../../internal.js'
import type { EndEvent, Reporter } from './events.js'
import { buildNetwork, buildOptimizer } from './network.js'
import type { Problem, TrainingOptions } from './problem.js'
import { problemOf } from './readProblem.js'
import { runOf } from './run.js'
import { checkFolder, checkOutputs } from './savePath.js'
import type { Interrupt } from './signals.js'
import { note } from './table.js'
import { balancedWeights, overviewOf, reportOn } from './tableReport.js'
import { testModel } from './testing.js'

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
  try {
    return await trainOn(problem, source, settle(problem), reporter, interrupt)
  } finally {
    await problem.close?.()
  }
}

async function trainOn(
  problem: Problem,
  source: string,
  options: TrainingOptions,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<EndEvent> {
  const { architecture, model } = buildNetwork(problem, options)
  const { units } = architecture
  const { layers, network, filters, metrics, backend, threads, save, run, ...settings } = options
  reporter.start({
    dataset: problem.name,
    kind: problem.image ? 'images' : 'examples',
    trainExamples: problem.sizes.train,
    validationExamples: problem.sizes.validation,
    testExamples: problem.sizes.test,
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
  const isWhole = history.ended !== 'aborted' || history.epochs[0]?.examples === problem.sizes.train
  const left = !isWhole && save !== false && existsSync(save) ? save : null
  const saved = trained && save !== false && left === null ? save : null
  const { loss, metrics: asked } = options
  const of = { model, loss, encoding: problem.encoding, classes: problem.classes }
  const tested = trained ? await testModel(of, problem.test, asked) : undefined
  const { regression } = tested ?? {}
  const testAccuracy = tested?.accuracy ?? null
  if (run !== undefined && tested) {
    const { confusion, regression, ...figures } = tested
    noteTest(run, {
      ...{ accuracy: undefined, ...figures },
      ...(regression && { metrics: { ...tested.metrics, ...regression } }),
    })
  }
  if (saved !== null) saveModel(model, saved, architecture, problem, options, testAccuracy)
  const report =
    tested && problem.encoding && (await reportOn(problem, model, loss, tested.confusion))
  const kept = history.epochs[history.bestEpoch - 1]
  const end: EndEvent = {
    testAccuracy,
    testR2: regression?.r2 ?? null,
    testMae: regression?.mae ?? null,
    testLoss: tested?.loss ?? null,
    ...(tested?.metrics && { testMetrics: tested.metrics }),
    ...(report && { report }),
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
function lossFor({ classCounts }: Problem, { loss, classWeights }: TrainingOptions) {
  if (classWeights !== 'balanced' || loss !== 'cross-entropy') return losses[loss]
  return softmaxCrossEntropyLoss({ classWeights: balancedWeights(classCounts) })
}

/** As photographs of the same thing differ; mirrored they are not, for some things are others then. */
function augmentationOf({ image }: Problem) {
  return imageAugmentation({
    imageShape: image as ImageShape,
    ...{ rotation: 10, scale: 0.15, shift: 0.1, brightness: 0.2, contrast: 0.2 },
  })
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
  // All parts are of one kind, as the overloads of fit ask for.
  const [data, validation] = [problem.train, problem.validation] as [Dataset, Dataset]
  const history = await fit(model, data, {
    loss: lossFor(problem, options),
    optimizer: buildOptimizer(model, problem.sizes.train, options),
    epochs,
    batchSize,
    seed,
    validation,
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
    ...(options.augment === 'all' && { augment: augmentationOf(problem) }),
    onStep({ epoch, step, stepsPerEpoch, loss }) {
      examples = Math.min(step * batchSize, problem.sizes.train)
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
