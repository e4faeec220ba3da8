/** What the compiler made of a file of the addon, for what no result shows and no test may time. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

interface Instruction {
  address: number
  text: string
}

const objects = fileURLToPath(
  new URL('../../build/Release/obj.target/neuroblas/native/', import.meta.url),
)

/** The object file of a source, which is given by its path in native/ without `.cc`. */
export const objectOf = (source: string) => `${objects}${source}.o`

/** The functions of an object file whose name begins so, as instructions. */
export function functionsOf(object: string, prefix: string): Map<string, Instruction[]> {
  const flags = ['-d', '-C', '--no-show-raw-insn']
  const text = execFileSync('objdump', [...flags, object], { encoding: 'utf8', maxBuffer: 2 ** 28 })
  const found = new Map<string, Instruction[]>()
  let instructions: Instruction[] = []
  for (const line of text.split('\n')) {
    const [, name] = /^[0-9a-f]+ <(.*)>:$/.exec(line) ?? []
    if (name !== undefined) {
      instructions = []
      if (name.replace(/^void |\(anonymous namespace\)::|nb::/g, '').startsWith(prefix)) {
        found.set(name, instructions)
      }
    }
    const [, address, instruction] = /^ *([0-9a-f]+):\t(.*)$/.exec(line) ?? []
    if (address) instructions.push({ address: Number.parseInt(address, 16), text: instruction })
  }
  return found
}

export const MULTIPLY_ADD = /^(vfn?m(add|sub)\d+p[sd]|fml[as])\b/

/** The innermost loops with such an instruction: from where a jump goes back to, up to that jump. */
export function loopsOf(instructions: readonly Instruction[], wanted: RegExp): string[][] {
  const loops = instructions.flatMap(({ address, text }, end) => {
    const [, to] = /^(?:j[a-z]+|b\.[a-z]+|cbn?z +\w+,) +([0-9a-f]+) </.exec(text) ?? []
    const begin = instructions.findIndex((other) => other.address === Number.parseInt(to, 16))
    return to && Number.parseInt(to, 16) < address && begin >= 0 ? [{ begin, end }] : []
  })
  const isInnermost = ({ begin, end }: { begin: number; end: number }) =>
    !loops.some((other) => other.begin >= begin && other.end < end)
  return loops
    .filter(isInnermost)
    .map(({ begin, end }) => instructions.slice(begin, end + 1).map(({ text }) => text))
    .filter((loop) => loop.some((text) => wanted.test(text)))
}

/** Reads or writes a vector register on the stack; a single word (vmovq) is a pointer, no sum. */
export const isSpill = (text: string) =>
  !/^vmov[dq] /.test(text) && /[xyz]mm|\bq\d+/.test(text) && /\((%r[sb]p)|\[sp/.test(text)
