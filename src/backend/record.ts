/**
 * Recording: a backend that writes kernel calls to a tape instead of computing them. Recorded with
 * them are the few things that a step does in JavaScript before each iteration, such as reading the
 * learning rate.
 */

import { CaptureError } from '../base/errors.js'
import type { Backend, MemoryUse } from './backend.js'
import type { DType, TypedArray } from './dtype.js'
import type { Handle, KernelArgs, KernelName } from './kernels.js'
import type { Program } from './program.js'
import { noteChange, Reads } from './reads.js'
import { type Tape, type TapeBuffer, uses } from './tape.js'

/** A buffer whose content JavaScript computes for each iteration, such as an optimizer's settings. */
export interface Feed {
  readonly handle: Handle
  readonly dtype: DType
  readonly width: number
  /** Called once per iteration, in the order of recording; its values go into the buffer. */
  next(): TypedArray
}

/**
 * Writes down what a step does without doing it. Buffers made while it records are names only
 * (negative handles); those from outside keep their handles.
 */
export class RecordingBackend implements Backend {
  readonly tape: Tape = { buffers: [], steps: [] }
  /** What JavaScript does before each iteration: feeds, and counters that it keeps. */
  readonly beforeIteration: (Feed | Action)[] = []
  /** Buffers that hold constants; whoever owns the program frees them. */
  readonly constants: Handle[] = []
  /** What was read of the surroundings; where it changes, the recording does not fit any more. */
  readonly reads = new Reads()
  /** Leaves that gradients were left on. */
  readonly leaves = new Set<Leaf>()
  /** Leaves that forgot their gradients before the first one came. */
  readonly cleared = new Set<Leaf>()
  /** Leaves whose gradient was looked at after it was left. */
  readonly seen = new Set<Leaf>()
  /** Leaves that an optimizer's step was for. */
  readonly stepped = new Set<Leaf>()
  /** Of buffers from outside, what stands for their memory. */
  readonly outside = new Map<Handle, object>()
  /** Tensors that stand for the arguments: what is read of them and set is nobody else's. */
  readonly args = new Set<object>()
  readonly #positions = new Map<Handle, number>()
  #next = -1

  constructor(readonly inner: Backend) {}

  get name() {
    return this.inner.name
  }

  alloc(length: number, dtype: DType): Handle {
    const handle = this.#next-- as Handle
    this.#enter(handle, { dtype, length })
    return handle
  }

  view(handle: Handle, offset: number, length: number): Handle {
    const position = this.#position(handle)
    const { dtype, view } = this.tape.buffers[position]
    const name = this.#next-- as Handle
    this.#enter(name, {
      dtype,
      length,
      view: { of: view?.of ?? position, offset: (view?.offset ?? 0) + offset },
    })
    return name
  }

  /** Buffers are names only: whoever owns the program frees what they become. */
  release(): void {}
  own(): void {}
  disown(): void {}

  /** A constant: kept in a buffer of its own and copied from there in every iteration. */
  write(handle: Handle, src: TypedArray, offset = 0): void {
    if (handle >= 0) {
      throw new CaptureError(
        'capture: a tensor from outside is written from JavaScript, which replays would not repeat; make it an argument',
      )
    }
    const { dtype } = this.tape.buffers[this.#positions.get(handle)!]
    const constant = this.inner.alloc(src.length, dtype)
    this.constants.push(constant)
    this.#enter(constant, { dtype, length: src.length, shared: constant })
    this.inner.write(constant, src)
    this.run('copy2d', constant, handle, 1, src.length, 0, src.length, offset, src.length)
  }

  read(): never {
    throw new CaptureError(
      'capture: values cannot be read inside a captured function; return the tensor and read it outside',
    )
  }

  run<K extends KernelName>(kernel: K, ...args: KernelArgs<K>): void {
    const values: readonly number[] = args
    this.tape.steps.push({
      kernel,
      args: values.map((value, i) =>
        uses[kernel][i] === 'number' ? value : this.#position(value as Handle),
      ),
    })
  }

  /** Makes a buffer outlive the program: a result that was made inside becomes the cell itself. */
  copyOut(result: Handle, cell: Handle, length: number): void {
    const made = this.tape.buffers[this.#positions.get(result) ?? -1]
    const isOwn = made !== undefined && made.shared === undefined && made.view === undefined
    if (isOwn) made.shared = cell
    else this.run('copy2d', result, cell, 1, length, 0, length, 0, length)
  }

  memory(): MemoryUse {
    return this.inner.memory()
  }

  trim(): number {
    return this.inner.trim()
  }

  rewrite(tape: Tape): Tape {
    return this.inner.rewrite(tape)
  }

  compile(): Program {
    throw new CaptureError('capture: a captured function cannot capture another')
  }

  runInTurns(): Promise<void> {
    throw new CaptureError('capture: a captured function cannot run another')
  }

  #position(handle: Handle): number {
    // Length and dtype of a buffer from outside are its own business: it is not planned.
    return (
      this.#positions.get(handle) ??
      this.#enter(handle, { dtype: 'float32', length: 0, shared: handle })
    )
  }

  #enter(handle: Handle, buffer: TapeBuffer): number {
    const position = this.tape.buffers.push(buffer) - 1
    this.#positions.set(handle, position)
    return position
  }
}

/** A tensor that gradients are left on. */
export interface Leaf {
  grad: unknown
}

/** What JavaScript does before each iteration, and how to take it back for one that was not taken. */
export interface Action {
  act(): void
  undo(): void
}

let recorder: RecordingBackend | null = null

/** The recorder of this backend while it records, else the backend itself. */
export function recorded(backend: Backend): Backend {
  return recorder?.inner === backend ? recorder : backend
}

/** The backend under a recorder. */
export function underneath(backend: Backend): Backend {
  return backend instanceof RecordingBackend ? backend.inner : backend
}

/** Runs fn with everything on the recorder's backend written down. */
export function recordWith<T>(recording: RecordingBackend | null, fn: () => T): T {
  const before = recorder
  recorder = recording
  try {
    return fn()
  } finally {
    recorder = before
  }
}

/** Runs fn, which makes state that outlives the step, without writing it down. */
export function unrecorded<T>(fn: () => T): T {
  return recordWith(null, fn)
}

/** Does something now; while recording, before every iteration instead. */
export function everyIteration(act: () => void, undo = () => {}): void {
  if (recorder) recorder.beforeIteration.push({ act, undo })
  else act()
}

/** Puts values into a buffer now; while recording, new ones before every iteration instead. */
export function feed(backend: Backend, buffer: Omit<Feed, 'next'>, next: () => TypedArray): void {
  if (recorder) recorder.beforeIteration.push({ ...buffer, next })
  else backend.write(buffer.handle, next())
}

/** Notes that a gradient is about to be left on a leaf: a captured function drops it at its end. */
export function noteLeaf(leaf: Leaf): void {
  if (recorder === null) return
  const isNew = !recorder.leaves.has(leaf)
  if (isNew && leaf.grad !== null) {
    throw new CaptureError(
      'capture: a gradient from outside would be added to; call zeroGrad() before the call',
    )
  }
  recorder.seen.delete(leaf)
  if (isNew && !recorder.cleared.has(leaf)) noteRead(leaf, 'grad', null)
  recorder.leaves.add(leaf)
}

/** Notes that the gradient of a leaf is looked at. */
export function noteSeen(leaf: Leaf): void {
  recorder?.seen.add(leaf)
}

/** Notes that a leaf forgets its gradient. */
export function noteCleared(leaf: Leaf): void {
  if (recorder !== null && !recorder.leaves.has(leaf)) recorder.cleared.add(leaf)
}

/** Notes the leaves that an optimizer's step is for. */
export function noteStep(leaves: readonly Leaf[]): void {
  for (const leaf of leaves) recorder?.stepped.add(leaf)
}

/** Notes that a property was read which decides on what is recorded. */
export function noteRead(of: object, name: string, value: unknown): void {
  if (recorder !== null && !recorder.args.has(of)) recorder.reads.note(of, name, value)
}

/** Notes what stands for the memory of a buffer from outside that is used. */
export function noteMemory(handle: Handle, memory: object): void {
  recorder?.outside.set(handle, memory)
}

/** Notes that such a property is about to be set. */
export function noteSet(of: object, name: string, before: unknown): void {
  noteChange()
  if (recorder !== null && !recorder.args.has(of)) recorder.reads.noteSet(of, name, before)
}

export function isRecording(): boolean {
  return recorder !== null
}
