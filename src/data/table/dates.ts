/** Dates in the cells of a table, and the parts of them that a network is given. */

/** A part of a date that is an input, or two where it comes round again. */
export type DatePart = 'year' | 'month' | 'day' | 'weekday' | 'hour'

export const dateParts: readonly DatePart[] = ['year', 'month', 'day', 'weekday', 'hour']

const TIME = String.raw`(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))? ?(Z|[+-]\d{2}(?::?\d{2})?)?)?`
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-/])(\d{1,2})\2(\d{1,2})${TIME}$`)
const DAY_FIRST = new RegExp(String.raw`^(\d{1,2})\.(\d{1,2})\.(\d{4})${TIME}$`)
const SHORTEST = '1.1.2000'.length

/**
 * The milliseconds from 1970 to a date, NaN for other text: 2024-03-01 or 2024/3/1 or 1.3.2024, perhaps with
 * a time, as in 2024-03-01T17:30:59.5+01:00; one without a zone is taken as UTC. 3/1/2024 is none, because
 * nobody can tell which of the numbers is the day.
 */
export function parseDate(text: string): number {
  if (text.length < SHORTEST || text[0] < '0' || text[0] > '9') return Number.NaN
  const first = YEAR_FIRST.exec(text)
  const last = first ? undefined : DAY_FIRST.exec(text)
  if (first) {
    const [, year, , month, day, ...time] = first
    return timeOf(Number(year), Number(month), Number(day), time)
  }
  if (last) {
    const [, day, month, year, ...time] = last
    return timeOf(Number(year), Number(month), Number(day), time)
  }
  return Number.NaN
}

function timeOf(year: number, month: number, day: number, time: readonly string[]): number {
  const [hour = 0, minute = 0, second = 0] = time.slice(0, 3).map((text) => Number(text ?? 0))
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for those from 1900 on.
  date.setUTCFullYear(year, month - 1, day)
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isDay || hour > 23 || minute > 59 || second >= 60) return Number.NaN
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 - offsetOf(time[3])
}

/** Of a time zone such as +01:00, in milliseconds. */
function offsetOf(zone = 'Z'): number {
  if (zone === 'Z') return 0
  const [hours, minutes] = [zone.slice(1, 3), zone.slice(3).replace(':', '')].map(Number)
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** A time as text that `parseDate` reads, without what is 0 at its end. */
export function dateText(time: number): string {
  return new Date(time).toISOString().replace(/(T00:00:00)?\.000Z$/, '')
}

const DAY = 86_400_000

/** A part of a date in UTC: the year as it is, another one as a share of its round, from 0 to below 1; NaN of NaN. */
export function partOf(time: number, part: DatePart): number {
  if (part === 'hour') return (((time % DAY) + DAY) % DAY) / DAY
  const date = new Date(time)
  if (part === 'year') return date.getUTCFullYear()
  // As in pandas and in Python, weeks begin with Monday.
  if (part === 'weekday') return ((date.getUTCDay() + 6) % 7) / 7
  if (part === 'month') return date.getUTCMonth() / 12
  const last = new Date(0)
  last.setUTCFullYear(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)
  return (date.getUTCDate() - 1) / last.getUTCDate()
}
