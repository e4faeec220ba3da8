/** Answers: what a model gave, as JSON and as float32. */
import type { ValueEncoding } from '../data/table/encoding.js'
import { decodedValue } from '../training/classify.js'
import { float32Text } from './float32Text.js'
import type { Served } from './modelInterface.js'
import { Refusal } from './refusal.js'

/** Scores of rows, from one of them on. */
export interface Found {
  readonly scores: Float32Array
  readonly labels: Int32Array
  readonly row: number
  readonly rows: number
}

/** What makes answers of a model's scores. */
export interface Answers {
  /** `{ predictions: [...] }` with an object for each row. @throws Refusal for scores that are not finite */
  json(found: Found): string
  /** The scores, float32 and little-endian, a byte in each character. @throws Refusal as above */
  floats(found: Found): string
}

/** @param width scores of a row */
export function answersOf({ interface: face, encoding }: Served, width: number): Answers {
  const target = encoding?.target as ValueEncoding
  const isValue = face.answers === 'value'
  const valueAt = isValue
    ? (scores: Float32Array, i: number) => Math.fround(decodedValue(scores[i], target))
    : (scores: Float32Array, i: number) => scores[i]
  const names = face.classes?.map((name) => JSON.stringify(name)) ?? []
  const numbers = (scores: Float32Array, begin: number) => {
    let text = ''
    for (let i = begin; i < begin + width; i++) {
      const value = valueAt(scores, i)
      if (!Number.isFinite(value)) throw tooLarge(value)
      text += i === begin ? float32Text(value) : `,${float32Text(value)}`
    }
    return text
  }
  const object = ({ scores, labels }: Found, row: number) => {
    const values = numbers(scores, row * width)
    if (isValue) return `{"value":${values}}`
    if (face.answers === 'outputs') return `{"outputs":[${values}]}`
    const label = labels[row]
    return `{"label":${label},"name":${names[label]},"${face.scores}":[${values}]}`
  }
  return {
    json(found) {
      let text = object(found, found.row)
      for (let row = found.row + 1; row < found.row + found.rows; row++) {
        text += `,${object(found, row)}`
      }
      return `{"predictions":[${text}]}`
    },
    floats({ scores, row, rows }) {
      const values = new Float32Array(rows * width)
      for (let i = 0; i < values.length; i++) {
        values[i] = valueAt(scores, row * width + i)
        if (!Number.isFinite(values[i])) throw tooLarge(values[i])
      }
      return Buffer.from(values.buffer).toString('latin1')
    },
  }
}

/** Weights and inputs are finite, so that only their products can have been too large. */
function tooLarge(value: number): Refusal {
  return new Refusal(422, `expected inputs of a size that the model knows, got ${value} from it`)
}
