/** Options as the commands declare them: each checks its value and says what it expected. */

import { Option } from 'commander'
import { NeuroblasError } from '../../index.js'
import { metricNames, parseNumber, quote } from '../../internal.js'

/** Arguments that make no sense: one line, exit code 2. */
export class UsageError extends NeuroblasError {}

/** An option whose value `parse` makes of the text, or undefined where it is not what is expected. */
export function checkedOption<T>(
  flags: string,
  description: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Option {
  const option = new Option(flags, description)
  return option.argParser((text: string) => {
    const value = parse(text)
    if (value !== undefined) return value
    throw new UsageError(`${option.long}: expected ${expected}, got ${quote(text)}`)
  })
}

export function numberOption(
  flags: string,
  description: string,
  expected: string,
  accepts: (value: number) => boolean,
): Option {
  return checkedOption(flags, description, expected, (text) => {
    const value = parseNumber(text)
    return accepts(value) && value < Infinity ? value : undefined
  })
}

export function integerOption(flags: string, description: string, min: number): Option {
  const range = min === 0 ? 'an integer from 0 to 2^53 - 1' : `an integer >= ${min}`
  return numberOption(
    flags,
    description,
    range,
    (value) => Number.isSafeInteger(value) && value >= min,
  )
}

export function choiceOption(
  flags: string,
  description: string,
  choices: readonly string[],
): Option {
  const expected = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  return checkedOption(flags, `${description}: ${expected}`, expected, (text) =>
    choices.includes(text) ? text : undefined,
  )
}

/** Names separated by commas, each one known and kept once. */
export function namesOption(flags: string, description: string, known: readonly string[]): Option {
  return checkedOption(flags, description, `some of ${known.join(',')}`, (text) => {
    const names = [...new Set(text.split(',').map((name) => name.trim()))]
    return names.every((name) => known.includes(name)) ? names : undefined
  })
}

/** Texts separated by commas. */
export function listOption(flags: string, description: string): Option {
  return checkedOption(flags, description, 'names between commas', (text) =>
    text.split(',').map((name) => name.trim()),
  )
}

/** What is told beside loss and accuracy. */
export function metricsOption(): Option {
  const of = 'what is computed besides, of standardized values in a regression'
  return namesOption('--metrics <names>', `${of}: ${metricNames.join(', ')}`, metricNames)
}

/** `fit` knows the names. */
export function resumeWithOption(): Option {
  const description = 'what may differ from the training that the checkpoint is of, as in lr,data'
  return listOption('--resume-with <names>', description)
}

/** Beyond this a layer is taken for a slip: two such layers would fill 16 GiB. */
const MAX_UNITS = 65536

function sizesOf(text: string): number[] | undefined {
  const sizes = text.split(',').map(parseNumber)
  return sizes.every((n) => Number.isInteger(n) && n >= 1 && n <= MAX_UNITS) ? sizes : undefined
}

/** Units of the hidden layers. */
export function layersOption(flags: string, description: string): Option {
  const expected = `units as in 256 or 256,128 (each from 1 to ${MAX_UNITS}), or none`
  return checkedOption(flags, description, expected, (text) =>
    text === 'none' ? [] : sizesOf(text),
  )
}

/** Filters of the stages of convolutions. */
export function filtersOption(flags: string, description: string): Option {
  const expected = `filters of one stage or more, as in 32 or 32,64 (each from 1 to ${MAX_UNITS})`
  return checkedOption(flags, description, expected, sizesOf)
}

export const jsonOption = (description: string) => new Option('--json', description)
