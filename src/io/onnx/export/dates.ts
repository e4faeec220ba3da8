/** The parts of a date in a graph, from milliseconds since 1970, by whole numbers alone. */
import type { DatePart } from '../../../data/table/dates.js'
import type { Emitter } from './emitter.js'

const DAY = 86_400_000
/** Days of a year that begins in March, before each of its months: ⌊(153·month + 2) / 5⌋ (Richards 2013). */
const MONTHS = { days: 153, add: 2, by: 5 }

/** What stands for no date: the smallest whole number of 64 bits, as NumPy's NaT is. */
export const NO_DATE = BigInt64Array.of(-(2n ** 63n))

/** Names of the parts that are asked for: the year as float64, another one as a share of its round. */
export function datePartsOf(g: Emitter, time: string): (part: DatePart) => string {
  const math = new Int64Math(g)
  const share = (a: string, b: string) =>
    g.node('Div', [g.cast(a, 'float64'), g.cast(b, 'float64')])
  const rest = math.mod(time, DAY)
  const days = math.div(math.sub(time, rest), DAY)
  let date: CivilDate | undefined
  return (part) => {
    if (part === 'hour') return share(rest, math.of(DAY))
    // 1 January 1970 was a Thursday, and weeks begin with Monday.
    if (part === 'weekday') return share(math.mod(math.add(days, 3), 7), math.of(7))
    date ??= civilDate(math, days)
    if (part === 'year') return g.cast(date.year, 'float64')
    if (part === 'month') return share(date.month, math.of(12))
    return share(date.day, date.daysInMonth)
  }
}

interface CivilDate {
  readonly year: string
  /** From 0 on. */
  readonly month: string
  /** From 0 on. */
  readonly day: string
  readonly daysInMonth: string
}

/**
 * Year, month and day of days since 1970 in the Gregorian calendar, by years that begin in March, so that the
 * day that some of them lack is their last (Howard Hinnant, chrono-compatible low-level date algorithms).
 */
function civilDate(math: Int64Math, days: string): CivilDate {
  const { g } = math
  const shifted = math.add(days, 719_468)
  const ofEra = math.mod(shifted, 146_097)
  const era = math.div(math.sub(shifted, ofEra), 146_097)
  const leapDays = [1460, 36_524, 146_096].map((period) => math.div(ofEra, period))
  const withoutLeaps = math.sub(math.add(math.sub(ofEra, leapDays[0]), leapDays[1]), leapDays[2])
  const yearOfEra = math.div(withoutLeaps, 365)
  const before = [
    math.mul(yearOfEra, 365),
    math.div(yearOfEra, 4),
    math.sub(0, math.div(yearOfEra, 100)),
  ]
  const dayOfYear = math.sub(
    ofEra,
    before.reduce((sum, part) => math.add(sum, part)),
  )
  const monthFromMarch = math.div(math.add(math.mul(dayOfYear, MONTHS.by), MONTHS.add), MONTHS.days)
  const daysBefore = math.div(
    math.add(math.mul(monthFromMarch, MONTHS.days), MONTHS.add),
    MONTHS.by,
  )
  const month = math.mod(math.add(monthFromMarch, 2), 12)
  const isEarly = g.cast(g.node('Less', [month, math.of(2)]), 'int64')
  const year = math.add(math.add(yearOfEra, math.mul(era, 400)), isEarly)
  return {
    year,
    month,
    day: math.sub(dayOfYear, daysBefore),
    daysInMonth: daysInMonth(math, year, month),
  }
}

function daysInMonth(math: Int64Math, year: string, month: string): string {
  const { g } = math
  const isMultiple = (of: number) => g.node('Equal', [math.mod(year, of), math.of(0)])
  const isCentury = g.node('Xor', [isMultiple(100), isMultiple(400)])
  const isLeap = g.node('And', [isMultiple(4), g.node('Not', [isCentury])])
  const isFebruary = g.node('Equal', [month, math.of(1)])
  const lengths = g.ints([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
  const added = g.cast(g.node('And', [isLeap, isFebruary]), 'int64')
  return math.add(g.node('Gather', [lengths, month]), added)
}

/** Arithmetic of whole numbers. */
class Int64Math {
  constructor(readonly g: Emitter) {}

  of(value: string | number): string {
    return typeof value === 'string' ? value : this.g.scalar(value, 'int64')
  }

  add = (a: string | number, b: string | number) => this.#do('Add', a, b)
  sub = (a: string | number, b: string | number) => this.#do('Sub', a, b)
  mul = (a: string | number, b: string | number) => this.#do('Mul', a, b)
  /** Without what is behind the point; of numbers from 0 on, or that divide. */
  div = (a: string | number, b: string | number) => this.#do('Div', a, b)
  /** What is left over, with the sign of b. */
  mod = (a: string | number, b: string | number) => this.#do('Mod', a, b)

  #do(op: string, a: string | number, b: string | number): string {
    return this.g.node(op, [this.of(a), this.of(b)])
  }
}
