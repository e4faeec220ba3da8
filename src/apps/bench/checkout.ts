/** Another built checkout of this project, usually an older one, that is measured against. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { NeuroblasError } from '../../index.js'
import { quote } from '../../internal.js'

export interface Checkout {
  /** Its top folder, absolute. */
  folder: string
  /** What contestant.ts became there. */
  program: string
  addon: string
}

/** A folder that cannot be measured against. */
export class CheckoutError extends NeuroblasError {}

/** Where checkouts have the program: today, and before apps/ was. */
const PROGRAMS = ['lib/apps/bench/contestant.js', 'lib/bench/contestant.js']
const ADDON = 'build/Release/neuroblas.node'

/** Throws CheckoutError where there is no folder, no program or no addon. */
export function checkoutAt(path: string): Checkout {
  const folder = resolve(path)
  const refuse = (expected: string): never => {
    throw new CheckoutError(`--against: expected ${expected}, got ${quote(path)}`)
  }
  const find = (...places: string[]): string =>
    places.map((place) => join(folder, place)).find(existsSync) ??
    refuse(
      `a built checkout of neuroblas (run \`npm run build\` there) with ${places.join(' or ')}`,
    )
  if (!existsSync(folder)) refuse('a folder that exists')
  return { folder, program: find(...PROGRAMS), addon: find(ADDON) }
}
