/** Rows of a stream of JSON: an object on each line (https://jsonlines.org), or a list of objects. */
import { DataError, excerpt } from '../../base/errors.js'
import { readText } from '../formats/text.js'

/** Characters; a longer line is no row. */
const LONGEST = 2 ** 24

/** Whether the first bytes of a stream are those of an object, and so none of separated text. */
export function isJSON(first: Uint8Array): boolean {
  return /^\ufeff?\s*(\[\s*)?\{/.test(Buffer.from(first).toString('utf8', 0, 64))
}

/**
 * The rows of a stream, many at a time; of a list all at once.
 * @throws DataError naming a line that is no object
 */
export async function* readJSON(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<object[]> {
  let [rest, line] = ['', 0]
  let isArray: boolean | undefined
  const parse = (text: string): object[] => {
    line++
    return text.trim() === '' ? [] : [parseLine(text, line, name)]
  }
  for await (const text of readText(bytes, name)) {
    isArray ??= text.trimStart().startsWith('[')
    if (isArray) {
      rest += text
      continue
    }
    const lines = (rest + text).split('\n')
    rest = lines.pop() as string
    if (rest.length > LONGEST) {
      throw new DataError(
        `${name}: expected lines of at most ${LONGEST} characters, got a longer one at line ${line + lines.length + 1}`,
      )
    }
    yield lines.flatMap(parse)
  }
  yield isArray ? (parsed(rest, name, '') as object[]) : parse(rest)
}

function parseLine(text: string, line: number, name: string): object {
  const value = parsed(text, name, ` on line ${line}`)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new DataError(`${name}: expected an object of JSON on line ${line}, got ${excerpt(value)}`)
}

function parsed(text: string, name: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DataError(`${name}: expected JSON${where}, got "${(error as Error).message}"`, {
      cause: error,
    })
  }
}
