/** Puts what was found into a folder: the page, its figures, and the numbers for programs. */

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../../internal.js'
import { toPng } from '../../plot/index.js'
import { experiments } from './index.js'
import { type About, page } from './page.js'
import { type Finished, resultsOf } from './run.js'

/**
 * Writes index.html, results.json and figures/EXPERIMENT-FIGURE.svg and .png, and removes the figures
 * of an earlier page that this one does not show.
 * @param folder made where it does not exist
 */
export async function writeLecture(
  folder: string,
  finished: readonly Finished[],
  about: About,
): Promise<void> {
  mkdirSync(join(folder, 'figures'), { recursive: true })
  const written = new Set<string>()
  for (const { experiment, figures } of finished) {
    for (const { name, svg } of figures) {
      const stem = `${experiment.name}-${name}`
      writeFileAtomically(join(folder, 'figures', `${stem}.svg`), Buffer.from(svg))
      writeFileAtomically(join(folder, 'figures', `${stem}.png`), await toPng(svg))
      written.add(`${stem}.svg`).add(`${stem}.png`)
    }
  }
  const results = JSON.stringify(resultsOf(finished), null, 2)
  writeFileAtomically(join(folder, 'results.json'), Buffer.from(`${results}\n`))
  writeFileAtomically(join(folder, 'index.html'), Buffer.from(await page(finished, about)))
  for (const file of readdirSync(join(folder, 'figures'))) {
    if (isFigure(file) && !written.has(file)) rmSync(join(folder, 'figures', file))
  }
}

/** Whether its name is one that figures get here; other files in the folder are somebody else's. */
function isFigure(file: string): boolean {
  return /\.(svg|png)$/.test(file) && experiments.some(({ name }) => file.startsWith(`${name}-`))
}
