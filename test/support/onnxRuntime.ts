/** What onnxruntime computes of a model's file, and what the import computes of the same. */
import * as ort from 'onnxruntime-node'
import type { Test } from 'tap'
import { loadOnnx, type OnnxInput, type OnnxModel, tensor } from '../../lib/index.js'

/** Values of an input. */
export interface Values {
  readonly type: 'float32' | 'int32' | 'int64' | 'uint8' | 'bool' | 'string'
  readonly shape: readonly number[]
  readonly data: readonly number[] | readonly string[]
}

type Feeds = Readonly<Record<string, Values>>

/** Outputs by their names: of maps the values, in the order of their keys. */
type Results = Record<string, { shape?: readonly number[]; data: (number | string)[] }>

const sessionOptions: ort.InferenceSession.SessionOptions = { logSeverityLevel: 3 }

export async function runtimeResults(path: string, feeds: Feeds): Promise<Results> {
  const session = await ort.InferenceSession.create(path, sessionOptions)
  const given = Object.entries(feeds).map(([name, { type, shape, data }]) => {
    const values =
      type === 'int64'
        ? BigInt64Array.from(data as number[], BigInt)
        : type === 'bool'
          ? Uint8Array.from(data as number[])
          : data
    return [name, new ort.Tensor(type as 'float32', values as number[], shape)] as const
  })
  // The runtime for Node cannot give maps.
  const names = session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name)
  const found = await session.run(Object.fromEntries(given), names)
  await session.release()
  const plain = (value: unknown) => (typeof value === 'string' ? value : Number(value))
  return Object.fromEntries(
    Object.entries(found).map(([name, { dims, data }]) => [
      name,
      { shape: dims, data: Array.from(data as ArrayLike<unknown>, plain) },
    ]),
  )
}

export function importedResults(model: OnnxModel, feeds: Feeds): Results {
  const given = Object.entries(feeds).map(([name, values]) => [name, inputOf(values)] as const)
  return Object.fromEntries(
    Object.entries(model.run(Object.fromEntries(given))).map(([name, found]) => [
      name,
      Array.isArray(found) ? { data: found } : { shape: found.shape, data: [...found.data()] },
    ]),
  )
}

export function inputOf({ type, shape, data }: Values): OnnxInput {
  if (type === 'string') return data as string[]
  return tensor(data as number[], shape, type === 'int64' ? 'int32' : type)
}

/** Both give the same outputs, to a tolerance relative to the largest value. */
export async function agrees(
  t: Test,
  path: string,
  feeds: Feeds,
  name: string,
  tolerance = 1e-5,
): Promise<void> {
  const expected = await runtimeResults(path, feeds)
  const got = importedResults(loadOnnx(path), feeds)
  for (const [output, { shape, data }] of Object.entries(expected)) {
    const found = got[output]
    const about = `${name}: ${output}`
    if (found?.shape !== undefined) t.same(found.shape, shape, `${about}, shape`)
    near(t, found.data, data, about, tolerance)
  }
}

/** Numbers are those expected, to a tolerance relative to the largest of them, and texts the same. */
export function near(
  t: Test,
  found: ArrayLike<number | string>,
  expected: ArrayLike<number | string>,
  name: string,
  tolerance = 1e-5,
): void {
  const [got, data] = [Array.from(found), Array.from(expected)]
  const finite = data.map(Number).filter(Number.isFinite)
  const size = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  const differs = (value: number | string, i: number) => {
    const other = got[i]
    if (Object.is(value, other) || value === other) return false
    return !(Math.abs(Number(value) - Number(other)) <= tolerance * size)
  }
  const at = got.length === data.length ? data.findIndex(differs) : 0
  const shown = `${name}: expected ${data.slice(at, at + 6)}, got ${got.slice(at, at + 6)}`
  t.equal(at, -1, at < 0 ? name : shown)
}
