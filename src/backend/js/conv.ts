/** Convolutions and their gradients, one loop per axis: sums in doubles, in the order of the taps. */
import type { Floats, JsKernel } from './kernel.js'

type Extents =
  Parameters<JsKernel<'conv'>> extends [Floats, Floats, Floats, ...infer Rest] ? Rest : never

/**
 * Calls f for each tap of each result that lies in the image: with the pixel that it reads, the tap's
 * place in the kernel, and the result's pixel.
 */
function forEachTap(
  extents: Extents,
  image: number,
  f: (pixel: number, tap: number, result: number) => void,
): void {
  const [, height, width, , outHeight, outWidth, , kernelHeight, kernelWidth] = extents
  const [strideHeight, strideWidth, padTop, padLeft, dilationHeight, dilationWidth] =
    extents.slice(9)
  for (let i = 0; i < outHeight; i++) {
    for (let j = 0; j < outWidth; j++) {
      const result = (image * outHeight + i) * outWidth + j
      for (let a = 0; a < kernelHeight; a++) {
        const row = i * strideHeight + a * dilationHeight - padTop
        if (row < 0 || row >= height) continue
        for (let b = 0; b < kernelWidth; b++) {
          const col = j * strideWidth + b * dilationWidth - padLeft
          if (col < 0 || col >= width) continue
          f((image * height + row) * width + col, a * kernelWidth + b, result)
        }
      }
    }
  }
}

function convolve(
  x: Floats,
  w: Floats,
  bias: Floats | undefined,
  y: Floats,
  isRelu: boolean,
  extents: Extents,
): void {
  const [batch, , , channels, outHeight, outWidth, filters] = extents
  const groups = extents[15]
  const [inGroup, outGroup] = [channels / groups, filters / groups]
  const size = outHeight * outWidth * filters
  const sums = new Float64Array(batch > 0 ? size : 0)
  for (let image = 0; image < batch; image++) {
    sums.fill(0)
    forEachTap(extents, image, (pixel, tap, result) => {
      const to = result * filters - image * size
      for (let c = 0; c < channels; c++) {
        const value = x[pixel * channels + c]
        const first = Math.floor(c / inGroup) * outGroup
        const row = (tap * inGroup + (c % inGroup)) * filters
        for (let o = first; o < first + outGroup; o++) sums[to + o] += value * w[row + o]
      }
    })
    for (let i = 0; i < size; i++) {
      const at = image * size + i
      // Rounded before the bias is added, as by a kernel of its own.
      y[at] = sums[i]
      if (bias) y[at] += bias[i % filters]
      if (isRelu && y[at] < 0) y[at] = 0
    }
  }
}

export const conv: JsKernel<'conv'> = (x, w, y, ...extents) => {
  convolve(x, w, undefined, y, false, extents)
}
export const convBias: JsKernel<'convBias'> = (x, w, bias, y, ...extents) => {
  convolve(x, w, bias, y, false, extents)
}
export const convBiasRelu: JsKernel<'convBiasRelu'> = (x, w, bias, y, ...extents) => {
  convolve(x, w, bias, y, true, extents)
}

export const convInputGrad: JsKernel<'convInputGrad'> = (dy, w, dx, ...extents) => {
  const [batch, height, width, channels, , , filters] = extents
  const groups = extents[15]
  const [inGroup, outGroup] = [channels / groups, filters / groups]
  const size = height * width * channels
  const sums = new Float64Array(batch > 0 ? size : 0)
  for (let image = 0; image < batch; image++) {
    sums.fill(0)
    forEachTap(extents, image, (pixel, tap, result) => {
      for (let o = 0; o < filters; o++) {
        const value = dy[result * filters + o]
        const to = pixel * channels - image * size + Math.floor(o / outGroup) * inGroup
        const row = (tap * filters + o) * inGroup
        for (let c = 0; c < inGroup; c++) sums[to + c] += value * w[row + c]
      }
    })
    dx.set(sums, image * size)
  }
}

export const convWeightGrad: JsKernel<'convWeightGrad'> = (x, dy, dw, _scratch, ...extents) => {
  const [batch, , , channels, , , filters, kernelHeight, kernelWidth] = extents
  const groups = extents[15]
  const [inGroup, outGroup] = [channels / groups, filters / groups]
  const sums = new Float64Array(kernelHeight * kernelWidth * inGroup * filters)
  for (let image = 0; image < batch; image++) {
    forEachTap(extents, image, (pixel, tap, result) => {
      for (let c = 0; c < channels; c++) {
        const value = x[pixel * channels + c]
        const first = Math.floor(c / inGroup) * outGroup
        const row = (tap * inGroup + (c % inGroup)) * filters
        for (let o = first; o < first + outGroup; o++) {
          sums[row + o] += value * dy[result * filters + o]
        }
      }
    })
  }
  dw.set(sums)
}
