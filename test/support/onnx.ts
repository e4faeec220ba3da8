/** Exported models, run by onnxruntime. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import type { Test } from 'tap'
import {
  type AnyModule,
  type ExportOnnxOptions,
  exportOnnx,
  predict,
  tensor,
} from '../../lib/index.js'
import type { Nd } from './reference.js'

/** What a graph gives, by the names of its outputs. */
export type Fetched = Record<string, { dims: readonly number[]; data: ArrayLike<unknown> }>

type Feed = Nd | { dtype: 'string' | 'int64'; shape: readonly number[]; data: readonly unknown[] }

/** Runs a model on values by the names of its inputs. */
export async function run(path: string, feeds: Record<string, Feed>): Promise<Fetched> {
  const session = await ort.InferenceSession.create(readFileSync(path), { logSeverityLevel: 3 })
  const given = Object.entries(feeds).map(([name, { shape, data, dtype = 'float32' }]) => {
    const values = dtype === 'int64' ? BigInt64Array.from(data as bigint[]) : data
    return [name, new ort.Tensor(dtype as 'float32', values as number[], shape)] as const
  })
  const found = await session.run(Object.fromEntries(given))
  await session.release()
  return found as unknown as Fetched
}

/** Values are those expected, relative to the largest of them. */
export function near(
  t: Test,
  found: { dims?: readonly number[]; data: ArrayLike<unknown> },
  expected: { shape?: readonly number[]; data: ArrayLike<number> },
  name: string,
  tolerance = 1e-5,
): void {
  if (expected.shape) t.strictSame([...(found.dims ?? [])], [...expected.shape], `${name}: shape`)
  const wanted = Array.from(expected.data)
  const size = Math.max(1, ...wanted.map(Math.abs).filter(Number.isFinite))
  const got = Array.from(found.data, Number)
  const differing = wanted.findIndex((value, i) => {
    if (Object.is(value, got[i]) || value === got[i]) return false
    return !(Math.abs(value - got[i]) <= tolerance * size)
  })
  if (differing < 0 && got.length === wanted.length) t.pass(name)
  else t.equal(`at ${differing}: [${got.slice(0, 40)}]`, `[${wanted.slice(0, 40)}]`, name)
}

/** A module gives the same in onnxruntime, for these rows and for one of them. */
export async function agrees(
  t: Test,
  model: AnyModule,
  rows: Nd,
  name: string,
  options: ExportOnnxOptions = { input: [1, ...rows.shape.slice(1)] },
): Promise<void> {
  const path = join(t.testdirName, `${name.replaceAll(/\W+/g, ' ')}.onnx`)
  mkdirSync(t.testdirName, { recursive: true })
  exportOnnx(model, path, options)
  for (const batch of [rows.shape[0], 1]) {
    const shape = [batch, ...rows.shape.slice(1)]
    const data = rows.data.slice(
      0,
      shape.reduce((size, extent) => size * extent, 1),
    )
    const expected = predict(model, tensor(data, shape, rows.dtype ?? 'float32') as never)
    const { output } = await run(path, { input: { ...rows, shape, data } })
    const flat = { data: expected.flatMap((row) => [...row]) }
    near(t, output, flat, `${name}, ${batch} examples`)
  }
}
