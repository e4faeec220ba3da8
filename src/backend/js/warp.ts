/** The kernel that distorts images: each pixel is read at another place of its image. */
import type { JsKernel } from './kernel.js'

export const warp: JsKernel<'warp'> = (x, maps, shifts, y, count, height, width) => {
  const size = height * width
  const [middleRow, middleCol] = [(height - 1) / 2, (width - 1) / 2]
  for (let image = 0; image < count; image++) {
    const from = image * size
    const [a, b, c, d] = maps.subarray(4 * image, 4 * image + 4)
    // Pixels outside the image are 0.
    const pixel = (r: number, c: number) =>
      r >= 0 && r < height && c >= 0 && c < width ? x[from + r * width + c] : 0
    for (let i = 0; i < size; i++) {
      const row = Math.floor(i / width) - middleRow
      const col = (i % width) - middleCol
      const atRow = clamp(middleRow + (a * row + b * col) + shifts[2 * from + i], height)
      const atCol = clamp(middleCol + (c * row + d * col) + shifts[2 * from + size + i], width)
      const [top, left] = [Math.floor(atRow), Math.floor(atCol)]
      const [down, right] = [atRow - top, atCol - left]
      y[from + i] =
        (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
        down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
    }
  }
}

/** From -1 to the extent, where everything is 0; NaN counts as -1. */
function clamp(at: number, extent: number): number {
  return at > -1 ? Math.min(at, extent) : -1
}
