/** The nodes of a graph, and their settings. */
import { DataError } from '../../../base/errors.js'
import { type AttributeProto, attributeType, type NodeProto } from '../schema.js'
import type { Constant } from './constant.js'

type Setting = number | string | readonly number[] | readonly string[] | Constant

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** A node: an operator with its settings, between values that have names; '' is one that is not there. */
export class Node {
  readonly op: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #settings = new Map<string, Setting>()
  /** Settings that are graphs, or of types that are not read. */
  readonly unread: readonly string[]

  /**
   * @param opset the version of the operators that the model is written in
   * @param constantOf reads a tensor
   */
  constructor(
    proto: NodeProto,
    readonly opset: number,
    constantOf: (proto: NonNullable<AttributeProto['t']>) => Constant,
  ) {
    const { domain = '', opType = '' } = proto
    this.op = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`
    this.name = proto.name || proto.output.find((name) => name !== '') || '?'
    this.inputs = proto.input
    this.outputs = proto.output
    const unread: string[] = []
    for (const attribute of proto.attribute) {
      const name = attribute.name ?? ''
      const value = settingOf(attribute, constantOf)
      if (value === undefined) unread.push(name)
      else this.#settings.set(name, value)
    }
    this.unread = unread
  }

  get settings(): readonly string[] {
    return [...this.#settings.keys()]
  }

  has(name: string): boolean {
    return this.#settings.has(name)
  }

  /** A number; `fallback` where it is not given. */
  number(name: string, fallback?: number): number {
    return this.#get(name, 'a number', (value) => typeof value === 'number', fallback)
  }

  flag(name: string, fallback = false): boolean {
    return this.number(name, +fallback) !== 0
  }

  numbers(name: string, fallback?: readonly number[]): readonly number[] {
    return this.#get(name, 'numbers', (value) => isListOf(value, 'number'), fallback)
  }

  text(name: string, fallback?: string): string {
    return this.#get(name, 'a text', (value) => typeof value === 'string', fallback)
  }

  texts(name: string, fallback?: readonly string[]): readonly string[] {
    return this.#get(name, 'texts', (value) => isListOf(value, 'string'), fallback)
  }

  constant(name: string): Constant {
    return this.#get<Constant>(name, 'a tensor', isConstant)
  }

  #get<T>(name: string, what: string, fits: (value: Setting) => boolean, fallback?: T): T {
    const value = this.#settings.get(name)
    if (value === undefined && fallback !== undefined) return fallback
    if (value !== undefined && fits(value)) return value as T
    throw new DataError(
      `expected ${what} as attribute ${name}, got ${value === undefined ? 'none' : 'something else'}`,
    )
  }
}

const isConstant = (value: Setting) =>
  typeof value === 'object' && 'values' in value && 'shape' in value

const isListOf = (value: unknown, type: string) =>
  Array.isArray(value) && value.every((item) => typeof item === type)

/** undefined of a graph, and of what is not known. */
function settingOf(
  { type, f = 0, i = 0, s, t, floats, ints, strings }: AttributeProto,
  constantOf: (proto: NonNullable<AttributeProto['t']>) => Constant,
): Setting | undefined {
  switch (type) {
    case attributeType.float:
      return f
    case attributeType.int:
      return i
    case attributeType.string:
      return s === undefined ? '' : text(s)
    case attributeType.floats:
      return floats
    case attributeType.ints:
      return ints
    case attributeType.strings:
      return strings.map(text)
    case attributeType.tensor:
      return t && constantOf(t)
    default:
      return undefined
  }
}
