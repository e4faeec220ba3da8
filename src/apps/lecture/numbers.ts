/** Numbers as people write them. */
import { powerOfTen } from '../../internal.js'

/**
 * With three significant digits or as many as asked for, powers of ten where it is small or large, and
 * a real minus sign: 0.123, 65,536, −2.5, 1.2 × 10⁻⁷. Whole numbers below a million keep all digits.
 */
export function format(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return `${value}`.replace('Infinity', '∞').replace('-', '−')
  const size = Math.abs(value)
  if (size === 0 || (Number.isInteger(value) && size < 1e6)) return withSeparators(value)
  if (size >= 1e-3 && size < 1e6) return withSeparators(Number(value.toPrecision(digits)))
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e')
  return `${withSeparators(Number(mantissa))} × ${powerOfTen(Number(exponent))}`
}

function withSeparators(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 20 }).replace('-', '−')
}

/** Several, in the order of the claim: `0.12, 0.3, 4`. */
export const formatList = (values: Iterable<number>, digits = 3): string =>
  Array.from(values, (value) => format(value, digits)).join(', ')

/** A share of 1 with so many digits after the point: `97.3 %`. */
export const percent = (share: number, fraction = 1): string =>
  `${(100 * share).toFixed(fraction).replace('-', '−')} %`

/** Several shares, in the order of the claim. */
export const percents = (shares: Iterable<number>, fraction = 1): string =>
  Array.from(shares, (share) => percent(share, fraction)).join(', ')

/** What was measured for a claim, as the page shows it. */
export const formatMeasured = (measured: number | string): string =>
  typeof measured === 'number' ? format(measured) : measured
