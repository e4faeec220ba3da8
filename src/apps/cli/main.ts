#!/usr/bin/env node
/**
 * The command `neuroblas`. Only the commands that the arguments name are loaded, so that help and
 * mistakes are quick. Exit codes: 0 done, 1 failed, 2 wrong arguments, 128 + signal when stopped.
 */
import { Command, CommanderError } from 'commander'
import { version } from '../../internal.js'
import { describeFailure, EXIT_FAILED, EXIT_USAGE } from './failure.js'

interface Entry {
  summary: string
  load: () => Promise<Command>
}

const commands: Record<string, Entry> = {
  train: {
    summary: 'train a network and save it',
    load: async () => (await import('./train.js')).trainCommand(),
  },
  eval: {
    summary: 'test a saved model',
    load: async () => (await import('./eval.js')).evalCommand(),
  },
  predict: {
    summary: 'classify new inputs with a saved model',
    load: async () => (await import('./predict.js')).predictCommand(),
  },
  serve: {
    summary: 'answer requests for predictions over HTTP',
    load: async () => (await import('./serve.js')).serveCommand(),
  },
  export: {
    summary: 'write a saved model as ONNX',
    load: async () => (await import('./export.js')).exportCommand(),
  },
  runs: {
    summary: 'list the runs of a folder, and compare them',
    load: async () => (await import('./runs.js')).runsCommand(),
  },
  describe: {
    summary: 'show what the columns of a table are',
    load: async () => (await import('./describe.js')).describeCommand(),
  },
  info: {
    summary: 'show backend, OpenBLAS, SIMD level, threads and memory',
    load: async () => (await import('./info.js')).infoCommand(),
  },
  bench: {
    summary: 'measure the speed against pure JavaScript and bare BLAS',
    load: async () => (await import('./bench.js')).benchCommand(),
  },
  reproduce: {
    summary: 'train what the literature trained on MNIST, and compare',
    load: async () => (await import('./reproduce.js')).reproduceCommand(),
  },
  lecture: {
    summary: 'train and draw what a lecture on neural networks says, as one page',
    load: async () => (await import('./lecture.js')).lectureCommand(),
  },
  start: {
    summary: 'what npm start runs: MNIST natively, then in pure JavaScript',
    load: async () => (await import('./start.js')).startCommand(),
  },
}

const help = `
Examples:
  neuroblas train mnist
  neuroblas eval mnist.safetensors mnist
  neuroblas help train

NEUROBLAS_BACKEND=native|js chooses the backend, NEUROBLAS_DEBUG=1 shows where an error is from.`

async function build(args: readonly string[]): Promise<Command> {
  const program = new Command('neuroblas')
    .description('Trains and runs neural networks at the speed of the BLAS.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    // Errors are printed below, in one line.
    .configureOutput({ outputError: () => {} })
    .addHelpText('after', help)
  for (const [name, { summary, load }] of Object.entries(commands)) {
    const command = args.includes(name) ? await load() : new Command(name).description(summary)
    program.addCommand(command.copyInheritedSettings(program))
  }
  return program
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const program = await build(args)
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.exitCode = EXIT_USAGE
      return
    }
    const { line, exitCode } = describeFailure(error)
    process.stderr.write(`neuroblas: ${line}\n`)
    process.exitCode = exitCode
  }
}

/** Whether the terminal was closed. */
let isHungUp = false

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader such as head that has seen enough: end as a program that SIGPIPE ended.
    if (error.code === 'EPIPE' && !isStopping()) process.exit(141)
    isHungUp ||= error.code === 'EIO'
    // The terminal, or the reader, went with the signal: what is to be saved still is.
    if (error.code === 'EPIPE' || error.code === 'EIO') return
    process.stderr.write(`neuroblas: cannot write the output: ${error.message}\n`)
    process.exit(EXIT_FAILED)
  })
}

// Left to itself Node would set up the terminal anew, and abort where there is none any more.
process.on('exit', () => {
  if (isHungUp) process.kill(process.pid, 'SIGHUP')
})

/** Whether a signal has asked the work to stop. */
function isStopping(): boolean {
  return Number(process.exitCode) > 128
}

void main(process.argv.slice(2))
