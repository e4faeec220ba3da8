/** Tables of mistakes that people make at first, and of what the library answers. */
import t from 'tap'
import { rejects } from './engine.js'

/** What is called, synchronously or not, the class of its error, and what the message says. */
export type Mistake = [
  name: string,
  call: () => unknown,
  kind: new (...args: any[]) => Error,
  message: RegExp,
]

export function mistakes(table: readonly Mistake[]): void {
  for (const [name, call, kind, message] of table) {
    t.test(name, async (t) => {
      await rejects(t, (async () => call())(), kind, message)
    })
  }
}
