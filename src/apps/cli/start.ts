/** `neuroblas start`, what `npm start` runs: MNIST natively, then the same in pure JavaScript. */

import { Command } from 'commander'
import { type Dataset, fit, setBackend } from '../../index.js'
import { currentBackend, losses, percent, rate } from '../../internal.js'
import type { EndEvent } from './events.js'
import { buildNetwork, buildOptimizer } from './network.js'
import { integerOption, numberOption } from './options.js'
import { defaultsFor } from './presets.js'
import type { TrainingOptions } from './problem.js'
import { readProblem } from './readProblem.js'
import { TextReporter } from './report.js'
import { Interrupt } from './signals.js'
import { print, table } from './table.js'
import { runTraining } from './training.js'

const SOURCE = 'mnist'
/** What the JavaScript engine gets to compile its loops before its speed is measured, in seconds. */
const WARM_UP = 1

export function startCommand(): Command {
  return new Command('start')
    .summary('what npm start runs: MNIST natively, then in pure JavaScript')
    .description(
      'Trains 784-256-10 on MNIST, saves it as mnist.safetensors, and compares the speed with that of the pure-JS backend.',
    )
    .addOption(integerOption('--epochs <n>', 'passes over the data (default: 10)', 1))
    .addOption(
      numberOption(
        '--js-seconds <n>',
        'how long pure JavaScript trains (default: 5)',
        `a number > ${WARM_UP}`,
        (value) => value > WARM_UP,
      ),
    )
    .addHelpText('after', '\nExamples:\n  npm start\n  neuroblas start --epochs 3')
    .action(start)
}

async function start({ epochs, jsSeconds = 5 }: { epochs?: number; jsSeconds?: number }) {
  const options = { ...defaultsFor(SOURCE), ...(epochs && { epochs }) }
  const reporter = new TextReporter()
  const interrupt = new Interrupt((name) => {
    reporter.close()
    process.stderr.write(`neuroblas: ${name}: stopping; once more to quit at once\n`)
  })
  try {
    // Without the addon this warns and chooses JavaScript.
    const native = currentBackend().name === 'native'
    if (!native) print('The native addon is not used: all of the training is pure JavaScript.')
    const end = await runTraining(SOURCE, options, reporter, interrupt)
    const js =
      native && !interrupt.caught ? await jsSpeed(options, jsSeconds, interrupt) : undefined
    print(`\n${summary(end, js)}`)
  } finally {
    reporter.close()
    interrupt.dispose()
  }
}

/** Examples per second of the same training on the pure-JS backend. */
async function jsSpeed(
  options: TrainingOptions,
  seconds: number,
  interrupt: Interrupt,
): Promise<number | undefined> {
  print(`training the same network in pure JavaScript for ${seconds} seconds`)
  setBackend('js')
  const problem = readProblem(SOURCE, options.seed)
  const { model } = buildNetwork(problem, options)
  const begin = performance.now()
  const elapsed = () => (performance.now() - begin) / 1000
  const enough = new AbortController()
  let steps = 0
  let from = 0
  let until = 0
  await fit(model, problem.train as Dataset, {
    loss: losses[options.loss],
    optimizer: buildOptimizer(model, problem.sizes.train, options),
    epochs: options.epochs,
    batchSize: options.batchSize,
    seed: options.seed,
    signal: AbortSignal.any([interrupt.signal, enough.signal]),
    onStep() {
      until = elapsed()
      if (from > 0) steps++
      else if (until > WARM_UP) from = until
      if (until > seconds) enough.abort()
    },
  })
  return steps > 0 ? (steps * options.batchSize) / (until - from) : undefined
}

function summary(end: EndEvent, js: number | undefined): string {
  const rows = []
  if (end.testAccuracy !== null) rows.push(['test accuracy', percent(end.testAccuracy)])
  if (end.epochs > 0) {
    const name = end.backend === 'native' ? 'native' : 'pure JavaScript'
    rows.push([name, rate(end.examplesPerSecond)])
  }
  if (js !== undefined) {
    rows.push(['pure JavaScript', rate(js)])
    rows.push(['native / JavaScript', `${(end.examplesPerSecond / js).toFixed(1)} times`])
  }
  rows.push(['model saved', end.saved ?? 'no'])
  return table(rows, 'lr')
}
