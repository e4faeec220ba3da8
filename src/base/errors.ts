/**
 * Every error the library throws on purpose. Messages read `op: what was expected, got values`.
 */
import { inspect } from 'node:util'

/** Base of all of the library's own errors: `catch (e) { if (e instanceof NeuroblasError) … }`. */
export class NeuroblasError extends Error {
  /** The name of the class, such as `ShapeError`. */
  override get name(): string {
    return this.constructor.name
  }
}

/** Shapes that do not fit each other or the operation. */
export class ShapeError extends NeuroblasError {}

/** An argument of the wrong type or outside its range; also wrong dtypes. */
export class ArgumentError extends NeuroblasError {}

/** A tensor used after its memory was released. */
export class ReleasedTensorError extends NeuroblasError {}

/** A data file or a model file that is malformed; the message names file, expectation and finding. */
export class DataError extends NeuroblasError {}

/** A kernel refused its arguments: a stale handle, a buffer too small, an index out of range. */
export class KernelError extends NeuroblasError {}

/** No backend can be used as asked: addon missing or out of date, tensors of two backends mixed. */
export class BackendError extends NeuroblasError {}

/** A package that only some functions need is not installed; the message says how to install it. */
export class MissingPackageError extends NeuroblasError {}

/** Memory asked for cannot be had. */
export class OutOfMemoryError extends NeuroblasError {}

/** Gradient computation asked of something that has no graph, or twice of one graph. */
export class AutogradError extends NeuroblasError {}

/** A training whose loss or weights, or a model whose results, are no longer finite numbers. */
export class DivergenceError extends NeuroblasError {}

/** An estimator asked for what only fitting gives it. */
export class NotFittedError extends NeuroblasError {}

/** A result of a captured function that a later call has overwritten. */
export class StaleTensorError extends NeuroblasError {}

/** A model or a tensor that a training, or a run which somebody awaits, is using; it is free after that. */
export class BusyError extends NeuroblasError {}

/** Something a captured function must not do, or a call that does not fit it. */
export class CaptureError extends NeuroblasError {}

const EXCERPT = 60

/** Any value in a message: its kind and the first of what is in it, on one line, cut off. */
export function excerpt(value: unknown): string {
  const text = shown(value)
    .replace(/\s+/g, ' ')
    .replace(/(?<=\[) | (?=\])/g, '')
    .slice(0, EXCERPT + 1)
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text
}

/** What is there in place of a name: text as it is, and anything else as an excerpt. */
export function spelled(value: unknown): string {
  return typeof value === 'string' && value.length <= EXCERPT ? value : excerpt(value)
}

function shown(value: unknown): string {
  try {
    return inspect(value, { depth: 1, maxArrayLength: 4, maxStringLength: EXCERPT })
  } catch {
    // What it is shown by is the caller's own code.
    return `an ${typeof value} that cannot be shown`
  }
}
