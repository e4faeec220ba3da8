/** `neuroblas export`: a saved model as a file that other programs run. */
import { Command } from 'commander'
import { exportOnnx, type OnnxValueInfo } from '../../index.js'
import { loadPredictor } from '../../internal.js'
import { jsonOption, UsageError } from './options.js'
import { checkOutputs } from './savePath.js'
import { print } from './table.js'

const help = `
The graph takes raw features, as they were before training scaled them, and gives what neuroblas predict prints: the
label of the class and the probabilities of all, or the value. Of a table it has an input for each column.

Examples:
  neuroblas export iris.safetensors iris.onnx
  neuroblas export houses.safetensors houses.onnx --json`

export function exportCommand(): Command {
  return new Command('export')
    .summary('write a saved model as ONNX')
    .description('Writes a saved model, with its preprocessing, as an ONNX file.')
    .argument('<model>', 'file that neuroblas train saved')
    .argument('<file>', 'what to write; its name ends with .onnx')
    .addOption(jsonOption('print inputs and outputs as one JSON object'))
    .addHelpText('after', help)
    .action(exportModel)
}

function exportModel(model: string, file: string, { json }: { json?: boolean }): void {
  if (!file.toLowerCase().endsWith('.onnx')) {
    throw new UsageError(`expected a file whose name ends with .onnx, got ${file}`)
  }
  checkOutputs({ file }, model)
  const { inputs, outputs } = exportOnnx(loadPredictor(model), file)
  print(
    json
      ? JSON.stringify({ file, inputs, outputs })
      : `wrote ${file}, which takes ${listed(inputs)}, and gives ${listed(outputs)}`,
  )
}

/** So many are listed. */
const LISTED = 12

function listed(values: readonly OnnxValueInfo[]): string {
  const shown = values
    .slice(0, LISTED)
    .map(({ name, dtype, shape = [] }) => `${name} (${dtype} [${shape.join(', ')}])`)
  const left = values.length - shown.length
  if (left > 0) return `${shown.join(', ')} and ${left} more`
  return shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
