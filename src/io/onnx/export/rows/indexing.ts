/** Ops that read and write elements by their positions. */
import type { Emitter, OpValue } from '../emitter.js'
import { plain, type Row, type Rows } from '../row.js'

/** An index for each element: a list stands for all elements beside each other along the axis. */
function indexEach(
  g: Emitter,
  indices: string,
  axis: number,
  each: boolean,
  call: OpValue,
): string {
  if (each) return indices
  const { shape } = call.from.inputs[2]
  const spread = shape.map((_, i) => (i === axis ? -1 : 1))
  return g.node('Expand', [g.node('Reshape', [indices, g.ints(spread)]), g.extents(shape)])
}

const scatter = (reduction: 'none' | 'add'): Row =>
  plain((g, [x, indices, source], { axis, each }, call) => {
    const places = indexEach(g, indices, axis, each, call)
    return g.node('ScatterElements', [x, places, source], { axis, reduction })
  })

export const indexingRows: Rows = {
  indexSelect: plain((g, x) => g.node('Gather', x, { axis: 0 })),
  gather: plain((g, x, { axis, each }) => g.node(each ? 'GatherElements' : 'Gather', x, { axis })),
  scatter: scatter('none'),
  scatterAdd: scatter('add'),
  gatherBytes: plain((g, x, { scale }, call) => {
    const chosen = g.cast(g.node('Gather', x, { axis: 0 }), call.dtype)
    return g.node('Mul', [chosen, g.scalar(scale, call.dtype)])
  }),
  oneHot: plain((g, [labels], { classes }, call) => {
    const values = g.constant(Float32Array.of(0, 1), 'float32', [2])
    const rows = g.node('OneHot', [g.cast(labels, 'int64'), g.scalar(classes, 'int64'), values])
    return call.dtype === 'float32' ? rows : g.cast(rows, call.dtype)
  }),
}
