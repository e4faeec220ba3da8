/** `neuroblas serve`: a saved model over HTTP. */
import { once } from 'node:events'
import { Command } from 'commander'
import { type ServeOptions, serve } from '../../serve/index.js'
import { choiceOption, integerOption, numberOption } from './options.js'
import { Interrupt } from './signals.js'
import { note, print } from './table.js'

const help = `
POST /predict answers {"inputs": [[...], ...]} or {"inputs": [{"column": value, ...}, ...]} of a model that was
trained on a table with {"predictions": [...]}, one for each row; application/octet-stream takes rows of
float32 and answers float32; image/jpeg and the like take an image. /healthz, /metrics (Prometheus) and
/model answer GET. docs/serving.md says it all.

A newer MODEL is read as soon as it is there. SIGTERM and Ctrl-C stop the server once it has answered what
has come.

Examples:
  neuroblas serve iris.safetensors
  curl -H 'content-type: application/json' -d '{"inputs": [5.1, 3.5, 1.4, 0.2]}' localhost:8080/predict
  neuroblas serve mnist.safetensors --host 0.0.0.0 --port 80`

export function serveCommand(): Command {
  return new Command('serve')
    .summary('answer requests for predictions over HTTP')
    .description('Serves a saved model over HTTP until it is stopped.')
    .argument('<model>', 'file that neuroblas train saved')
    .addOption(portOption())
    .option('--host <address>', 'to listen at; 0.0.0.0 is all of them (default: 127.0.0.1)')
    .addOption(choiceOption('--unseen <policy>', 'categories that training had not', UNSEEN))
    .addOption(integerOption('--batch-size <rows>', 'computed together at most (default: 64)', 1))
    .addOption(integerOption('--max-bytes <n>', 'of a body (default: 8388608)', 1))
    .addOption(integerOption('--max-rows <n>', 'of a request (default: 1024)', 1))
    .addOption(integerOption('--max-waiting <rows>', 'before others get 503 (default: 4096)', 1))
    .addOption(timeoutOption())
    .addHelpText('after', help)
    .action(serveModel)
}

const UNSEEN = ['refuse', 'ignore']

function portOption() {
  return numberOption(
    '--port <n>',
    '0 takes one that is free (default: 8080)',
    'a port from 0 to 65535',
    (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 16,
  )
}

function timeoutOption() {
  const what = 'for a whole request to come (default: 30)'
  return numberOption('--timeout <seconds>', what, 'seconds > 0, up to 86,400', (seconds) => {
    return seconds > 0 && seconds <= 86_400
  })
}

async function serveModel(path: string, options: ServeOptions): Promise<void> {
  const onReload = (error?: Error) =>
    note(error ? `${error.message}; the old model goes on` : `${path}: a newer model answers`)
  const server = await serve(path, { ...options, onReload })
  const interrupt = new Interrupt((name) => note(`${name}: stopping; once more to quit at once`))
  print(`serving ${path} at ${server.url}`)
  await once(interrupt.signal, 'abort')
  await server.close()
  process.exitCode = 0
}
