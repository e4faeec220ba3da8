import type { Writable } from 'node:stream'

export interface Counts {
  passed: number
  failed: number
  skipped: number
}

export class TapSummary {
  constructor(print: (text: string) => void)
  readonly parser: Writable
  readonly counts: Counts
}
