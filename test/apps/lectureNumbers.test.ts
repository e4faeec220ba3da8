/** Numbers on the lecture's page, as people write them. */
import t from 'tap'
import { format, formatList, percent, percents } from '../../lib/apps/lecture/numbers.js'

t.test('three digits, separators, powers of ten, real minus signs', async (t) => {
  t.equal(format(0.123456), '0.123')
  t.equal(format(0.1 + 0.2), '0.3')
  t.equal(format(65_536), '65,536')
  t.equal(format(-2.5), '−2.5')
  t.equal(format(1.234e-7), '1.23 × 10⁻⁷')
  t.equal(format(-4.56e12, 2), '−4.6 × 10¹²')
  t.equal(format(0), '0')
  t.equal(format(12_345.6, 2), '12,000')
  t.equal(format(-Infinity), '−∞')
  t.equal(format(Number.NaN), 'NaN')
  t.equal(formatList([1, -0.5]), '1, −0.5')
  t.equal(percent(0.97342), '97.3 %')
  t.equal(percent(-0.015, 2), '−1.50 %')
  t.equal(percents([0.5, 1], 0), '50 %, 100 %')
})
