/** What layers with a kernel have in common: activation, bias, initial weights, regularizer. */
import { type init, l1, l2, type Module, type Regularizer, type Shape } from '../../index.js'
import { checkFlag } from '../../internal.js'
import { type ActivationName, activationOf } from './activations.js'
import { type InitializerName, initializers } from './initializers.js'
import { type Built, LAYER_OPTIONS, type LayerOptions } from './layer.js'
import { named } from './names.js'

// Keras's strengths for those that are given by name.
const regularizers = { l1: l1(0.01), l2: l2(0.01) } satisfies Record<string, Regularizer>
/**
 * Regularizers by name, of strength 0.01 as in Keras.
 *
 * @useDeclaredType
 */
export type RegularizerName = keyof typeof regularizers

/** Settings of layers with a kernel. */
export interface KernelOptions extends LayerOptions {
  /** 'linear' by default. */
  activation?: ActivationName
  /** Whether there is a bias; true by default. */
  useBias?: boolean
  /** By name, or any initializer of the library; 'glorotUniform' by default. */
  kernelInitializer?: InitializerName | init.Initializer
  /** 'l1' or 'l2' (of 0.01), or any regularizer of the library. */
  kernelRegularizer?: RegularizerName | Regularizer
}

/** Their names. */
export const KERNEL_OPTIONS: Record<keyof KernelOptions, true> = {
  ...LAYER_OPTIONS,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  kernelRegularizer: true,
}

/** @throws ArgumentError for options that are out of range */
export function checkKernel(op: string, options: KernelOptions): void {
  activationOf(`${op}: activation`, options.activation ?? 'linear')
  checkFlag(op, 'useBias', options.useBias ?? true)
  initializerOf(op, options.kernelInitializer)
  regularizerOf(op, options)
}

/** A layer with its activation behind it. */
export function withKernel(
  op: string,
  options: KernelOptions,
  outputShape: Shape,
  make: (weights: { init: init.Initializer; bias: boolean }) => Module,
): Built {
  const { activation = 'linear', useBias: bias = true, kernelInitializer } = options
  const layer = make({ init: initializerOf(op, kernelInitializer), bias })
  const regularizer = regularizerOf(op, options)
  const after = activationOf(`${op}: activation`, activation)
  return {
    modules: [layer, ...(after ? [after()] : [])],
    outputShape,
    ...(regularizer && { regularizer }),
  }
}

/** @throws ArgumentError for another name */
export function initializerOf(
  op: string,
  given: InitializerName | init.Initializer = 'glorotUniform',
  option = 'kernelInitializer',
): init.Initializer {
  if (typeof given === 'function') return given
  return named<init.Initializer>(`${op}: ${option}`, given, initializers)
}

function regularizerOf(op: string, { kernelRegularizer }: KernelOptions): Regularizer | undefined {
  if (kernelRegularizer === undefined) return undefined
  if (typeof (kernelRegularizer as Regularizer)?.penalty === 'function') {
    return kernelRegularizer as Regularizer
  }
  return named<Regularizer>(
    `${op}: kernelRegularizer`,
    kernelRegularizer as RegularizerName,
    regularizers,
  )
}
