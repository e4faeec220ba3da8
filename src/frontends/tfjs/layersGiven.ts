/** A layer of tf.layers as the converter sees it, and refusals that name it. */
import { ArgumentError, type Shape } from '../../index.js'
import { excerpt } from '../../internal.js'

/** A layer and what it is called with. */
export interface GivenLayer {
  /** The name of its class. */
  kind: string
  name: string
  config: Readonly<Record<string, unknown>>
  /** Of an example; null where an extent may be any. */
  inputs: readonly (readonly (number | null)[])[]
  output: readonly (number | null)[]
  /** Shapes of its weights. */
  weights: readonly (readonly (number | null)[])[]
}

/** Refuses an option, by the layer's name. */
export function refuse(
  { name, kind, config }: GivenLayer,
  option: string,
  expected: string,
): never {
  throw new ArgumentError(
    `fromLayersModel: expected ${option} of the ${kind} ${name} to be ${expected}, got ${excerpt(config[option])}`,
  )
}

/** Refuses options that are given, but not as neuroblas alone has them. */
export function expect(layer: GivenLayer, options: Readonly<Record<string, unknown>>): void {
  for (const [option, value] of Object.entries(options)) {
    const given = layer.config[option] ?? value
    if (given !== value) refuse(layer, option, excerpt(value))
  }
}

/** The extent of the last axis. */
export function channelsOf(layer: GivenLayer): number {
  return shapeOf(layer, layer.inputs[0].slice(-1))[0]
}

/** A shape that must be known. */
export function shapeOf({ kind, name }: GivenLayer, shape: readonly (number | null)[]): Shape {
  if (shape.length > 0 && shape.every((extent) => extent !== null)) return shape as Shape
  throw new ArgumentError(
    `fromLayersModel: expected a known shape at the ${kind} ${name}, got ${excerpt(shape)}`,
  )
}
