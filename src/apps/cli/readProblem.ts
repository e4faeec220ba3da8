/** What a training run of the command line learns: a data set, a table or a folder of images, in three parts. */
import { fitPreprocessing, preprocess } from '../../index.js'
import { isImageFolder } from '../../internal.js'
import { hasOwnTest, holdOut, readData } from './data.js'
import type { Reporter } from './events.js'
import { readImageProblem } from './images.js'
import { partsInMemory } from './parts.js'
import type { Problem, TrainingOptions } from './problem.js'
import type { Interrupt } from './signals.js'
import { note } from './table.js'
import { choiceNotes, readTableProblem } from './tableProblem.js'
import { isTable } from './tables.js'

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
    ...partsInMemory(
      preprocess(train, preprocessing),
      preprocess(validation, preprocessing),
      preprocess(test, preprocessing),
    ),
  }
}

/** The three parts of any data; of tables and images it says what was found. */
export async function problemOf(
  source: string,
  options: TrainingOptions,
  reporter: Reporter,
  interrupt: Interrupt,
): Promise<Problem> {
  if (isTable(source)) {
    const { notes, ...problem } = await unlessStopped(interrupt, () =>
      readTableProblem(source, options, options.seed),
    )
    for (const text of [...choiceNotes(problem, options.target), ...notes]) note(text)
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
  // Bytes go from 0 to 1.
  const preprocessing = { mean: [0], scale: [1 / 255] }
  return { task: 'classify', ...parts, preprocessing, image, images: format }
}
