/** The loops that the limit of a core is measured with. No times are tested: their machine code is. */
import { existsSync } from 'node:fs'
import t from 'tap'
import { loadAddon } from '../../lib/internal.js'
import { functionsOf, isSpill, loopsOf, MULTIPLY_ADD, objectOf } from '../support/assembly.js'

t.test('operations are timed', (t) => {
  const { timeFlops } = loadAddon()
  t.ok(timeFlops(1e6) > 0)
  t.ok(timeFlops(0) >= 0)
  for (const wrong of [-1, Number.NaN, Infinity, 'x', undefined]) {
    t.throws(() => timeFlops(wrong as number), /timeFlops: expected a number of operations/)
  }
  t.end()
})

/** The loops of this processor: what multiplies (and adds), and how often in a pass. */
const LOOPS: Record<string, [name: string, multiply: RegExp, chains: number][]> = {
  x64: [
    ['baseline', /^mulps/, 12],
    ['avx2', MULTIPLY_ADD, 12],
    ['avx512', MULTIPLY_ADD, 24],
  ],
  arm64: [['neon', MULTIPLY_ADD, 24]],
}

const object = objectOf('simd/peak')
const skip = existsSync(object) ? false : 'the addon was not built here'

for (const [name, multiply, chains] of LOOPS[process.arch] ?? []) {
  t.test(`the loop only multiplies and adds: ${name}`, { skip }, (t) => {
    const [instructions, ...others] = functionsOf(object, `${name}(`).values()
    t.same(others, [])
    const loops = loopsOf(instructions, multiply)
    t.equal(loops.length, 1)
    const count = loops[0].filter((text) => multiply.test(text)).length
    t.equal(count, chains, 'as many chains as are counted, none of them merged')
    t.same(loops[0].filter(isSpill), [], 'no sum leaves its register')
    t.end()
  })
}
