/** The files of a run's folder. */

/** What the run is, as JSON. */
export const CONFIG = 'config.json'
/** What became of it, a JSON object per line. */
export const METRICS = 'metrics.jsonl'
/** The folder of its checkpoints. */
export const CHECKPOINTS = 'checkpoints'
