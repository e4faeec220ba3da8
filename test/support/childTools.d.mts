import type { Worker } from 'node:worker_threads'
import type * as library from '../../lib/index.js'

export function training(
  seed: number,
  options?: Partial<library.FitOptions> & { units?: number[] },
): { model: library.Module; done: Promise<library.History> }
export function trained(
  seed: number,
  options?: { units?: number[]; epochs?: number },
): Promise<string>
export function startWorker(
  fn: (nb: typeof library, tools: typeof import('./childTools.mjs'), ...args: any[]) => unknown,
  ...args: unknown[]
): Worker
export function sleep(milliseconds: number): Promise<void>
