/** Tables of what a model consists of: its parameters, or its layers with what they compute. */
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { zeros } from '../tensor/create.js'
import { noGrad } from '../tensor/graph.js'
import { defaultGenerator, type Generator } from '../tensor/random.js'
import { scope } from '../tensor/scope.js'
import { format, type Shape } from '../tensor/shape.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import type { HookHandle } from './hooks.js'
import { inEval } from './inEval.js'
import { isParameter, type ModuleBuffer, type Parameter } from './parameter.js'
import { ownPartsOf } from './walk.js'

/** Inputs to ask a model about: the shape of zeros, the batch included, or a tensor. */
export type SummaryInput = Shape | AnyTensor

/** Settings of `summary`. */
export interface SummaryOptions {
  /** Inputs of one forward pass, or an array of several; without them, the parameters are listed. */
  input?: SummaryInput | readonly SummaryInput[]
}

/** What is asked of a module here. */
interface Layer {
  training: boolean
  namedParameters(): ReadonlyMap<string, Parameter>
  parameters(): Parameter[]
  multiplyAdds(outputs: unknown): number
  registerForwardHook(
    hook: (module: unknown, inputs: unknown, outputs: unknown) => undefined,
  ): HookHandle
}

interface Model extends Layer {
  // biome-ignore lint/suspicious/noExplicitAny: stands for a model of any inputs
  forward(...inputs: any[]): unknown
  namedModules(): ReadonlyMap<string, Layer>
  namedGenerators(): ReadonlyMap<string, Generator>
  buffers(): ModuleBuffer[]
}

const shown = (count: number) => count.toLocaleString('en')
const sizeOfAll = (parameters: readonly Parameter[]) =>
  parameters.reduce((sum, { size }) => sum + size, 0)

/** Elements of the parameters that are a module's own, not those of the modules inside. */
export function ownSizeOf(module: object): number {
  return sizeOfAll(Array.from(ownPartsOf(module), ([, part]) => part).filter(isParameter))
}

/** How many examples outputs are of; of what is no tensor, none. */
export function examplesOf(outputs: unknown): number {
  return isTensor(outputs) ? (outputs.shape[0] ?? 1) : 0
}

/** How many vectors outputs [..., channels] are: one for each example, or each place of it. */
export function vectorsOf({ shape, size }: Tensor): number {
  return size / shape[shape.length - 1]
}

/** Paths, shapes and sizes of the parameters, and their sum. */
export function parameterTable(model: Layer): string {
  const rows = [...model.namedParameters()].map(([path, { shape, size }]) => [
    path,
    format(shape),
    shown(size),
  ])
  return aligned([...rows, ['total', '', shown(sizeOfAll(model.parameters()))]], 2)
}

/** Layers with the shapes of their outputs, parameters and multiply-adds, and the sums. */
export function layerTable(model: Model, input: NonNullable<SummaryOptions['input']>): string {
  const seen = forwardOnce(model, input)
  const layers = [...model.namedModules()].filter(
    ([path, layer], _, { length }) => path !== '' || length === 1 || ownSizeOf(layer) > 0,
  )
  const rows = layers.map(([path, layer]) => {
    const { outputs = '-', multiplyAdds = 0 } = seen.get(layer) ?? {}
    const size = ownSizeOf(layer)
    return [path, layer.constructor.name, outputs, shown(size), shown(multiplyAdds)]
  })
  const parameters = model.parameters()
  const total = sizeOfAll(parameters)
  const trained = sizeOfAll(parameters.filter(({ requiresGrad }) => requiresGrad))
  const work = [...seen.values()].reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0)
  const sums = { total, trainable: trained, frozen: total - trained, 'multiply-adds': work }
  return [
    aligned([['', 'layer', 'outputs', 'parameters', 'multiply-adds'], ...rows], 3),
    '',
    aligned(
      Object.entries(sums).map(([name, count]) => [name, shown(count)]),
      1,
    ),
  ].join('\n')
}

interface Seen {
  /** Shapes of the outputs of the last call. */
  outputs: string
  multiplyAdds: number
}

/** What each layer gave for these inputs. */
function forwardOnce(
  model: Model,
  input: NonNullable<SummaryOptions['input']>,
): ReadonlyMap<Layer, Seen> {
  const seen = new Map<Layer, Seen>()
  const layers = [...new Set(model.namedModules().values())]
  const hooks = layers.map((layer) =>
    layer.registerForwardHook((_, __, outputs) => {
      const multiplyAdds = (seen.get(layer)?.multiplyAdds ?? 0) + layer.multiplyAdds(outputs)
      seen.set(layer, { outputs: shapesIn(outputs), multiplyAdds })
    }),
  )
  const putBack = keep(model)
  try {
    noGrad(() => scope(() => inEval(model, () => void model.forward(...inputsFrom(input)))))
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw new ShapeError(
      `summary: expected input of a whole batch, such as [1, 28, 28, 1] (${error.message})`,
      { cause: error },
    )
  } finally {
    for (const hook of hooks) hook.remove()
    putBack()
  }
  return seen
}

function inputsFrom(input: NonNullable<SummaryOptions['input']>): AnyTensor[] {
  if (isTensor(input)) return [input]
  if (!Array.isArray(input)) {
    throw new ArgumentError(
      `summary: expected input as a shape such as [1, 28, 28, 1], a tensor, or an array of these, got ${excerpt(input)}`,
    )
  }
  const isShape = input.every((item) => typeof item === 'number')
  return isShape ? [zeros(input)] : input.flatMap(inputsFrom)
}

/** What a forward pass may change even in `eval`: takes it back. */
export function keep(model: Pick<Model, 'buffers' | 'namedGenerators'>): () => void {
  const buffers = model.buffers().map((buffer) => ({ buffer, values: buffer.data() }))
  const generators = [defaultGenerator(), ...model.namedGenerators().values()]
  const positions = generators.map((generator) => ({ generator, position: generator.save() }))
  return () => {
    for (const { buffer, values } of buffers) {
      if (!isSame(buffer.data(), values)) buffer.assign(values)
    }
    for (const { generator, position } of positions) {
      if (!isSame(generator.save(), position)) generator.restore(position)
    }
  }
}

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return Array.from(a).every((value, i) => Object.is(value, b[i]))
}

/** Shapes of the tensors in what a module gave. */
function shapesIn(outputs: unknown): string {
  if (isTensor(outputs)) return format(outputs.shape)
  const items = typeof outputs === 'object' && outputs !== null ? Object.values(outputs) : []
  return items.length === 0 ? '-' : items.map(shapesIn).join(', ')
}

/** Lines of columns; those from `numbers` on end at the same place. */
function aligned(rows: readonly (readonly string[])[], numbers: number): string {
  const widths = rows[0].map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column].length), 0),
  )
  const cell = (text: string, column: number) =>
    column < numbers ? text.padEnd(widths[column]) : text.padStart(widths[column])
  return rows.map((row) => row.map(cell).join('  ')).join('\n')
}
