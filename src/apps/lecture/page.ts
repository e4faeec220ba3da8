/** The page: everything in one HTML file, formulas as MathML and figures as SVG; no scripts. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { default as Temml } from 'temml'
import { escapeXml, loadPackages, packageFolder } from '../../internal.js'
import type { Claim, Figure } from './experiment.js'
import { formatMeasured } from './numbers.js'
import { partOf } from './parts.js'
import type { Finished } from './run.js'
import { excerpt } from './source.js'

/** How the figures came about. */
export interface About {
  version: string
  /** Such as `native backend, 2 threads, Node 20.19`. */
  machine: string
  quick: boolean
  /** How many experiments were to be run. */
  planned: number
}

const TITLE = 'Foundations of deep neural networks, run for real'
const LECTURE = '“Foundations of Deep Neural Networks” (Liverpool, 2018)'

export async function page(finished: readonly Finished[], about: About): Promise<string> {
  const style = readFileSync(join(packageFolder(), 'src/apps/lecture/page.css'), 'utf8')
  const sections = await Promise.all(finished.map(section))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${TITLE}</title>
<style>
${style}</style>
</head>
<body>
<header>
<h1>${TITLE}</h1>
${summary(finished, about)}
</header>
${contents(finished)}
<main>
${sections.join('\n')}
</main>
<footer>
<p>Every figure and number on this page was computed by <strong>neuroblas ${about.version}</strong>
on ${escapeXml(about.machine)}, and comes out the same each time there; on another CPU
products may round otherwise, and the last digits of what was trained differ. The code beside the figures
is that which ran, from the files in <code>src/apps/lecture/</code> of the package.</p>
</footer>
</body>
</html>
`
}

function summary(finished: readonly Finished[], { quick, planned }: About): string {
  const claims = finished.flatMap(({ claims }) => claims)
  const held = claims.filter(({ ok }) => ok).length
  const seconds = finished.reduce((sum, { seconds }) => sum + seconds, 0)
  const all = held === claims.length
  const verdict = all
    ? `All ${held} claims hold.`
    : `${claims.length - held} of ${claims.length} claims failed.`
  const left = planned - finished.length
  return [
    `<p class="lead">What the lecture ${LECTURE} says, trained, drawn and put to the test:
${finished.length} experiments${quick ? ', in their quick versions' : ''}, ${duration(seconds)}.</p>`,
    `<p class="verdict ${all ? 'held' : 'failed'}">${verdict}</p>`,
    left > 0
      ? `<p class="verdict failed">Stopped early: ${left} experiments were not run.</p>`
      : '',
  ].join('\n')
}

/** The lecture's parts, and below each what is shown of it. */
function contents(finished: readonly Finished[]): string {
  const parts = [...new Set(finished.map(({ experiment }) => partOf(experiment)))]
  const lists = parts.map((part) => {
    const entries = finished
      .filter(({ experiment }) => partOf(experiment) === part)
      .map(
        ({ experiment, ok }) =>
          `<li><a href="#${experiment.name}">${escapeXml(experiment.title)}</a>${ok ? '' : ' <span class="badge">failed</span>'}</li>`,
      )
    return `<section>\n<h2>${part}</h2>\n<ul>\n${entries.join('\n')}\n</ul>\n</section>`
  })
  return `<nav aria-label="Contents">\n${lists.join('\n')}\n</nav>`
}

async function section({ experiment, claims, figures, ok, seconds }: Finished): Promise<string> {
  const { name, title, formula, symbols, text } = experiment
  return `<article id="${name}"${ok ? '' : ' class="failed"'}>
<p class="kicker">${partOf(experiment)}</p>
<h2>${escapeXml(title)}</h2>
${formula === undefined ? '' : await formulaOf(formula)}
${symbols === undefined ? '' : `<p class="symbols">${escapeXml(symbols)}</p>`}
<p>${escapeXml(text)}</p>
<div class="figures">
${figures.map((figure) => picture(name, figure, ok)).join('\n')}
</div>
<h3>Claims</h3>
<table>
${claims.map(claimRow).join('\n')}
</table>
<h3>The code <span class="aside">from <code>${name}.ts</code>, ran in ${duration(seconds)}</span></h3>
<pre><code>${highlight(excerpt(name))}</code></pre>
</article>`
}

/** As MathML; where it has a \\qquad, lines may break. Throws when it is not well-formed. */
export async function formulaOf(tex: string): Promise<string> {
  const [{ default: temml }] = await loadPackages<[{ default: typeof Temml }]>('lecture', 'temml')
  const parts = tex
    .split('\\qquad')
    .map((part) => temml.renderToString(part, { displayMode: true, throwOnError: true }))
  // To be reached by the keyboard, too, where it is wider than the page and scrolls.
  return `<div class="formula" tabindex="0">${parts.join('\n')}</div>`
}

function picture(experiment: string, { name, caption, svg }: Figure, ok: boolean): string {
  const failed = ok ? '' : '<strong class="badge">a claim failed</strong> '
  return `<figure>
${withLabel(withOwnIds(svg, `${experiment}-${name}`), caption)}
<figcaption>${failed}${escapeXml(caption)}</figcaption>
</figure>`
}

function claimRow({ claim, measured, ok }: Claim): string {
  return `<tr class="${ok ? 'held' : 'failed'}"><td class="mark">${ok ? '✓' : '✗'}</td>
<td>${escapeXml(claim)}</td><td class="measured">${escapeXml(formatMeasured(measured))}</td></tr>`
}

/** Charts of one kind are told apart by the first sentence below them. */
function withLabel(svg: string, caption: string): string {
  const [sentence] = caption.split(/(?<=[.:;])\s/)
  return svg.replace(/ aria-label="([^"]*)"/, ` aria-label="$1. ${escapeXml(sentence)}"`)
}

/** In one document the figures' ids must differ. */
function withOwnIds(svg: string, prefix: string): string {
  return svg
    .replace(/ id="([^"]+)"/g, ` id="${prefix}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${prefix}-$1)`)
    .replace(/href="#([^"]+)"/g, `href="#${prefix}-$1"`)
}

const TOKENS =
  /(?<comment>\/\/.*|\/\*[\s\S]*?\*\/)|(?<string>'[^'\n]*'|`[^`]*`)|(?<keyword>\b(?:async|await|const|for|function|if|import|from|let|new|of|return|while)\b)|(?<number>\b\d[\d_.e-]*\b)/g

/** Comments, strings, keywords and numbers in colours. */
function highlight(code: string): string {
  let html = ''
  let end = 0
  for (const { 0: token, index, groups } of code.matchAll(TOKENS)) {
    const kind = Object.entries(groups ?? {}).find(([, text]) => text !== undefined)?.[0]
    html += `${escapeXml(code.slice(end, index))}<span class="${kind}">${escapeXml(token)}</span>`
    end = index + token.length
  }
  return html + escapeXml(code.slice(end))
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
}
