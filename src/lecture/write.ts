/** Puts what was found into a folder: the page, its figures, and the numbers for programs. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../io/files.js'
import { toPng } from '../plot/png.js'
import { type About, page } from './page.js'
import { type Finished, resultsOf } from './run.js'

/**
 * Writes index.html, results.json and figures/EXPERIMENT-FIGURE.svg and .png.
 * @param folder made where it does not exist
 */
export async function writeLecture(
  folder: string,
  finished: readonly Finished[],
  about: About,
): Promise<void> {
  mkdirSync(join(folder, 'figures'), { recursive: true })
  for (const { experiment, figures } of finished) {
    for (const { name, svg } of figures) {
      const stem = join(folder, 'figures', `${experiment.name}-${name}`)
      writeFileAtomically(`${stem}.svg`, Buffer.from(svg))
      writeFileAtomically(`${stem}.png`, await toPng(svg))
    }
  }
  const results = JSON.stringify(resultsOf(finished), null, 2)
  writeFileAtomically(join(folder, 'results.json'), Buffer.from(`${results}\n`))
  writeFileAtomically(join(folder, 'index.html'), Buffer.from(page(finished, about)))
}
