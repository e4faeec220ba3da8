/** The lines on which a function of the plane is zero (marching squares, Lorensen and Cline 1987). */

export type Segment = readonly [x: number, y: number, x2: number, y2: number]

/**
 * Pieces of the zero lines of a grid of values, straight within each cell.
 * @param at the value at column x and row y
 * @returns in columns and rows, which are fractions between the places
 */
export function zeroLines(
  rows: number,
  columns: number,
  at: (x: number, y: number) => number,
): Segment[] {
  const segments: Segment[] = []
  for (let y = 0; y < rows - 1; y++) {
    for (let x = 0; x < columns - 1; x++) {
      const corners = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
      ].map(([x, y]) => ({ x, y, value: at(x, y) }))
      const crossings = corners.flatMap((a, i) => {
        const b = corners[(i + 1) % 4]
        if (a.value > 0 === b.value > 0) return []
        const t = a.value / (a.value - b.value)
        return [{ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) }]
      })
      // Two crossings, or four at a saddle.
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const [a, b] = crossings.slice(i, i + 2)
        segments.push([a.x, a.y, b.x, b.y])
      }
    }
  }
  return segments
}
