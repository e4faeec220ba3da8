/** Runs experiments one after the other, and keeps what they found. */
import { mnist, setSeed } from 'neuroblas'
import type { Context, Experiment, Outcome } from './experiment.js'

export interface Finished extends Outcome {
  experiment: Experiment
  seconds: number
  /** Whether every claim held. */
  ok: boolean
}

export interface RunOptions {
  quick: boolean
  /** Added to every seed; 0 by default. */
  seed?: number
  signal: AbortSignal
  onBegin?: (experiment: Experiment) => void
  onProgress?: (done: number, total: number, note?: string) => void
  onEnd?: (finished: Finished) => void
}

/**
 * Runs each experiment from the same seed, whatever ran before it. One that throws has failed, and
 * the others go on; one that is aborted is left out, and so are those after it.
 * @throws DataError before any of them where MNIST is needed and not installed
 */
export async function runExperiments(
  experiments: readonly Experiment[],
  { quick, seed = 0, signal, onBegin, onProgress, onEnd }: RunOptions,
): Promise<Finished[]> {
  const all: Finished[] = []
  const context: Context = {
    quick,
    seed,
    signal,
    progress: (done, total, note) => onProgress?.(done, total, note),
  }
  if (experiments.some(({ needsMnist }) => needsMnist)) mnist()
  for (const experiment of experiments) {
    onBegin?.(experiment)
    const begin = performance.now()
    setSeed(1 + seed)
    const outcome = await experiment.run(context).catch(failure)
    // What stopped half-way has nothing to say of its claims.
    if (signal.aborted) break
    const ok = outcome.claims.length > 0 && outcome.claims.every(({ ok }) => ok)
    const finished = { experiment, ...outcome, ok, seconds: (performance.now() - begin) / 1000 }
    all.push(finished)
    onEnd?.(finished)
  }
  return all
}

function failure(error: unknown): Outcome {
  const measured = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { claims: [{ claim: 'The experiment runs to its end', measured, ok: false }], figures: [] }
}

export interface ItemResult {
  /** Number of the lecture's item. */
  item: number
  title: string
  ok: boolean
  seconds: number
  claims: Outcome['claims']
}

/** What is known of each item; several experiments may show one, and one several. */
export function resultsOf(finished: readonly Finished[]): { items: ItemResult[] } {
  const numbers = new Set(finished.flatMap(({ experiment }) => experiment.items))
  const items = [...numbers]
    .sort((a, b) => a - b)
    .map((item) => {
      const parts = finished.filter(({ experiment }) => experiment.items.includes(item))
      return {
        item,
        title: parts.map(({ experiment }) => experiment.title).join('; '),
        ok: parts.every(({ ok }) => ok),
        seconds: Number(parts.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(2)),
        claims: parts.flatMap(({ claims }) => claims),
      }
    })
  return { items }
}
