/**
 * What the compiler made of the micro-kernel (native/gemm/tile.h): the inner loops hold their sums in
 * registers and add by fused multiply-adds. A sum that goes through memory costs a quarter of the
 * speed, and no test may measure time.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'

interface Instruction {
  address: number
  text: string
}

const objects = fileURLToPath(
  new URL('../../build/Release/obj.target/neuroblas/native/gemm/', import.meta.url),
)

/** The functions of an object file whose name begins so, as instructions. */
function functionsOf(object: string, prefix: string): Map<string, Instruction[]> {
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

const MULTIPLY_ADD = /^(vfn?m(add|sub)\d+ps|fml[as])\b/

/** The innermost loops that multiply: from where a jump goes back to, up to that jump. */
function loopsOf(instructions: readonly Instruction[]): string[][] {
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
    .filter((loop) => loop.some((text) => MULTIPLY_ADD.test(text)))
}

/** Reads or writes a vector register on the stack. */
const isSpill = (text: string) => /[zy]mm|\bq\d+/.test(text) && /\((%r[sb]p)|\[sp/.test(text)

const levels = process.arch === 'arm64' ? ['neon'] : ['avx2', 'avx512']
for (const level of levels) {
  const object = `${objects}${level}.o`
  const skip = existsSync(object) ? false : 'the addon was not built here'
  t.test(`no sum of a tile leaves its register: ${level}`, { skip }, (t) => {
    const tiles = functionsOf(object, 'tile<')
    t.ok(tiles.size >= 20, `${tiles.size} tiles`)
    for (const [name, instructions] of tiles) {
      const [, vectors, rows] = /Floats, (\d+)ul, (\d+)ul/.exec(name) ?? []
      const loops = loopsOf(instructions)
      t.ok(loops.length > 0, `${name} has a loop`)
      for (const loop of loops) {
        const adds = loop.filter((text) => MULTIPLY_ADD.test(text)).length
        const spills = loop.filter((text) => isSpill(text) && !MULTIPLY_ADD.test(text))
        t.equal(adds % (Number(vectors) * Number(rows)), 0, `${name}: one for each sum`)
        t.strictSame(spills, [], `${name}: nothing on the stack`)
      }
    }
    t.end()
  })
}
