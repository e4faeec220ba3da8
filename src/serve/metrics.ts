/** Figures of a server, in the text format of Prometheus. */

/** Counts of observations up to bounds, and their sum. */
class Histogram {
  readonly #counts: number[]
  #sum = 0
  #count = 0

  constructor(readonly bounds: readonly number[]) {
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count++
    let i = 0
    while (i < this.bounds.length && value > this.bounds[i]) i++
    if (i < this.bounds.length) this.#counts[i]++
  }

  lines(name: string): string[] {
    let below = 0
    return [
      ...this.bounds.map((bound, i) => {
        below += this.#counts[i]
        return `${name}_bucket{le="${bound}"} ${below}`
      }),
      `${name}_bucket{le="+Inf"} ${this.#count}`,
      `${name}_sum ${this.#sum}`,
      `${name}_count ${this.#count}`,
    ]
  }
}

export class Metrics {
  readonly #requests = new Map<number, number>()
  readonly #seconds = new Histogram([
    ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ])
  readonly #batchRows = new Histogram([1, 2, 4, 8, 16, 32, 64, 128, 256])
  readonly #reloads = { ok: 0, failed: 0 }

  /** @param milliseconds from its first byte to the last of the answer that was handed on */
  request(status: number, milliseconds: number): void {
    this.#requests.set(status, (this.#requests.get(status) ?? 0) + 1)
    this.#seconds.observe(milliseconds / 1000)
  }

  batch(rows: number): void {
    this.#batchRows.observe(rows)
  }

  reload(result: 'ok' | 'failed'): void {
    this.#reloads[result]++
  }

  text(version: number, waiting: number): string {
    const metric = (name: string, type: string, help: string, lines: readonly string[]) => [
      `# HELP neuroblas_${name} ${help}`,
      `# TYPE neuroblas_${name} ${type}`,
      ...lines.map((line) => `neuroblas_${line}`),
    ]
    const statuses = [...this.#requests].sort(([a], [b]) => a - b)
    const requests = statuses.map(([status, n]) => `requests_total{status="${status}"} ${n}`)
    const reloads = Object.entries(this.#reloads)
    return [
      ...metric('requests_total', 'counter', 'Requests for predictions, by status.', requests),
      ...metric(
        'request_duration_seconds',
        'histogram',
        'From the headers of a request to its answer.',
        this.#seconds.lines('request_duration_seconds'),
      ),
      ...metric('batch_rows', 'histogram', 'Rows that were computed together.', [
        ...this.#batchRows.lines('batch_rows'),
      ]),
      ...metric('waiting_rows', 'gauge', 'Rows that wait for their batch.', [
        `waiting_rows ${waiting}`,
      ]),
      ...metric('reloads_total', 'counter', 'Newer files of the model, by result.', [
        ...reloads.map(([result, n]) => `reloads_total{result="${result}"} ${n}`),
      ]),
      ...metric('model_version', 'gauge', 'The first weights are 1, all later ones count on.', [
        `model_version ${version}`,
      ]),
      '',
    ].join('\n')
  }
}
