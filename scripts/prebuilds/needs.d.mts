/** What the binary needs and a machine may not have, by what `objdump -p -T` says of it. */
export function needsTooMuch(text: string): string[]
