/** Pools, one window after the other. */
import type { JsKernel } from './kernel.js'

/** What follows the buffers of a kernel. */
type Geometry =
  Parameters<JsKernel<'maxPool'>> extends [infer _X, infer _Y, infer _Places, ...infer Sizes]
    ? Sizes
    : never

/** What of one axis of a window lies within the image. */
function clip(extent: number, window: number, start: number): [begin: number, end: number] {
  return [Math.max(0, start), Math.min(extent, start + window)]
}

/**
 * Calls `begin` for every channel of every window with its element of y and how many places of it lie
 * within the image, `visit` for each of these with the element of x and the place, then `end`.
 */
function forWindows(
  geometry: Geometry,
  begin: (at: number, within: number) => void,
  visit: (at: number, place: number) => void,
  end: (at: number) => void = () => {},
): void {
  const [batch, height, width, channels, windowHeight, windowWidth, ...rest] = geometry
  const [strideHeight, strideWidth, top, left, outHeight, outWidth] = rest
  const outputs = batch * outHeight * outWidth * channels
  for (let at = 0; at < outputs; at++) {
    const c = at % channels
    const pixel = (at - c) / channels
    const image = Math.floor(pixel / outWidth / outHeight)
    const row = (Math.floor(pixel / outWidth) % outHeight) * strideHeight - top
    const col = (pixel % outWidth) * strideWidth - left
    const [rowBegin, rowEnd] = clip(height, windowHeight, row)
    const [colBegin, colEnd] = clip(width, windowWidth, col)
    begin(at, (rowEnd - rowBegin) * (colEnd - colBegin))
    for (let h = rowBegin; h < rowEnd; h++) {
      for (let w = colBegin; w < colEnd; w++) {
        visit(
          ((image * height + h) * width + w) * channels + c,
          (h - row) * windowWidth + (w - col),
        )
      }
    }
    end(at)
  }
}

const inputs = ([batch, height, width, channels]: Geometry) => batch * height * width * channels

export const maxPool: JsKernel<'maxPool'> = (x, y, places, ...geometry) => {
  let most = 0
  let winner = -1
  forWindows(
    geometry,
    () => {
      winner = -1
    },
    (i, place) => {
      if (winner >= 0 && !(x[i] > most || Number.isNaN(x[i]))) return
      most = x[i]
      winner = place
    },
    (at) => {
      y[at] = most
      places[at] = winner
    },
  )
}

export const maxPoolGrad: JsKernel<'maxPoolGrad'> = (dy, places, dx, ...geometry) => {
  dx.fill(0, 0, inputs(geometry))
  let winner = 0
  let gradient = 0
  forWindows(
    geometry,
    (at) => {
      winner = places[at]
      gradient = dy[at]
    },
    (i, place) => {
      if (place === winner) dx[i] += gradient
    },
  )
}

/** What the sum of a window is divided by. */
function divisor(countPadding: number, geometry: Geometry, within: number): number {
  return countPadding ? geometry[4] * geometry[5] : within
}

export const averagePool: JsKernel<'averagePool'> = (x, y, countPadding, ...geometry) => {
  let sum = 0
  let by = 0
  forWindows(
    geometry,
    (_, within) => {
      sum = 0
      by = divisor(countPadding, geometry, within)
    },
    (i) => {
      sum += x[i]
    },
    (at) => {
      y[at] = sum / by
    },
  )
}

export const averagePoolGrad: JsKernel<'averagePoolGrad'> = (dy, dx, countPadding, ...geometry) => {
  dx.fill(0, 0, inputs(geometry))
  let share = 0
  forWindows(
    geometry,
    (at, within) => {
      share = dy[at] / divisor(countPadding, geometry, within)
    },
    (i) => {
      dx[i] += share
    },
  )
}
