/** `summary` as Keras lays it out. */
import type { Tensor } from '../../index.js'
import type { Logs } from './callback.js'
import type { Built, Layer } from './layer.js'

export function formatSummary(layers: readonly Layer[], parts: readonly Built[]): string {
  const weights = parts.map(weightsOf)
  const counts = weights.map(sizeOfAll)
  const rows = layers.map((layer, i) => {
    const kind = layer.constructor.name
    return [
      layer.name ? `${layer.name} (${kind})` : kind,
      `(null, ${parts[i].outputShape.join(', ')})`,
      counts[i].toLocaleString('en'),
    ]
  })
  const table = [['Layer (type)', 'Output shape', 'Params'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)))
  const lines = table.map(([name, shape, count]) =>
    [name.padEnd(widths[0]), shape.padEnd(widths[1]), count.padStart(widths[2])].join('   '),
  )
  const rule = '-'.repeat(lines[0].length)
  const all = [...new Set(weights.flat())]
  const trainable = all.filter(({ requiresGrad }) => requiresGrad)
  const [total, trained] = [sizeOfAll(all), sizeOfAll(trainable)]
  const totals = [
    `Total params: ${total.toLocaleString('en')}`,
    `Trainable params: ${trained.toLocaleString('en')}`,
    `Non-trainable params: ${(total - trained).toLocaleString('en')}`,
  ]
  return [lines[0], rule, ...lines.slice(1), rule, ...totals].join('\n')
}

/** A layer's parameters and, as Keras counts them, its running moments. */
export function weightsOf({ modules }: Built): Tensor[] {
  return modules.flatMap((module) => [...module.parameters(), ...module.buffers()])
}

/** How many numbers these are. */
export function sizeOfAll(weights: readonly Tensor[]): number {
  return weights.reduce((sum, { size }) => sum + size, 0)
}

/** The line that training prints of an epoch. */
export function formatEpoch(epoch: number, epochs: number, seconds: number, logs: Logs): string {
  const figures = Object.entries(logs).map(([name, value]) => `${name}: ${value.toFixed(4)}`)
  return [`Epoch ${epoch}/${epochs}`, `${seconds.toFixed(1)}s`, ...figures].join(' - ')
}
