/** Numbers of float32 as text, for answers: a float64's 17 digits are twice as many as it has. */

/** The largest power of ten that float64 has exactly. */
const MAX_POWER = 22
const POWERS = Array.from({ length: MAX_POWER + 1 }, (_, i) => Number(`1e${i}`))

/**
 * A finite number of float32 in at most 9 digits, which read back give the same number: 9 always do (Steele and
 * White 1990).
 */
export function float32Text(x: number): string {
  if (Number.isInteger(x)) return `${x}`
  const exponent = Math.floor(Math.log10(Math.abs(x)))
  return (
    decimalText(x, 6 - exponent) ??
    decimalText(x, 7 - exponent) ??
    decimalText(x, 8 - exponent) ??
    `${Number(x.toPrecision(9))}`
  )
}

/** The number in so many decimals, or undefined where it would be another one. */
function decimalText(x: number, decimals: number): string | undefined {
  if (decimals < 0 || decimals > MAX_POWER) return undefined
  // Both are exact, so that what division rounds to is what the decimal stands for.
  const decimal = Math.round(x * POWERS[decimals]) / POWERS[decimals]
  return Math.fround(decimal) === x ? `${decimal}` : undefined
}
