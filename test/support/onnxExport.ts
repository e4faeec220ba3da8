/** Exported modules against the modules themselves. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import {
  type AnyModule,
  type ExportOnnxOptions,
  exportOnnx,
  loadOnnx,
  predict,
  tensor,
} from '../../lib/index.js'
import { importedResults, near, runtimeResults, type Values } from './onnxRuntime.js'
import type { Nd } from './reference.js'

/** As an input of a graph. */
export const valuesOf = ({ dtype = 'float32', shape, data }: Nd): Values => ({
  type: dtype,
  shape,
  data,
})

/** A module gives the same in onnxruntime, and read again, for these rows and for one of them. */
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
    const size = shape.reduce((size, extent) => size * extent, 1)
    const part = { ...rows, shape, data: rows.data.slice(0, size) }
    const expected = predict(model, tensor(part.data, shape, rows.dtype ?? 'float32') as never)
    const feeds = { input: valuesOf(part) }
    const { output } = await runtimeResults(path, feeds)
    const about = `${name}, ${batch} examples`
    t.equal(output.shape?.[0], batch, about)
    const flat = expected.flatMap((row) => [...row])
    near(t, output.data, flat, about)
    const again = loadOnnx(path)
    near(t, importedResults(again, feeds).output.data, flat, `${about}, read again`)
    again.dispose()
  }
}
