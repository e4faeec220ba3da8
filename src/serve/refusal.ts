/** What is wrong with a request, and the status that says so. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}
