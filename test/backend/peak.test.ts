/** The loops that the limit of a core is measured with. No times are tested: their machine code is. */
import t from 'tap'
import { loadAddon } from '../../lib/internal.js'
import { instructionsOf, noAssembly } from '../support/assembly.js'

t.test('operations are timed', (t) => {
  const { timeFlops } = loadAddon()
  t.ok(timeFlops(1e6) > 0)
  t.ok(timeFlops(0) >= 0)
  for (const wrong of [-1, Number.NaN, Infinity, 'x', undefined]) {
    t.throws(() => timeFlops(wrong as number), /timeFlops: expected a number of operations/)
  }
  t.end()
})

/** Of each loop: what multiplies (and adds), how often in a pass, and what lies in memory. */
const LOOPS = {
  x64: [
    ['baseline', /^mulps/, 12],
    ['avx2', /^vfmadd.*ymm/, 12],
    ['avx512', /^vfmadd.*zmm/, 24],
  ],
  arm64: [['neon', /^fmla/, 24]],
}[process.arch as string]

t.test('the loops only multiply and add', { skip: LOOPS ? noAssembly : 'no loop known' }, (t) => {
  for (const [name, multiply, chains] of LOOPS as [string, RegExp, number][]) {
    const symbol = `_ZN2nb12_GLOBAL__N_1${name.length}${name}Emff`
    const code = instructionsOf(symbol)
    const loop = code.slice(
      code.findIndex((line) => multiply.test(line)),
      code.findLastIndex((line) => multiply.test(line)) + 1,
    )
    const count = loop.filter((line) => multiply.test(line)).length
    t.equal(count, chains, `${name}: as many chains as are counted, none of them merged`)
    t.same(
      loop.filter((line) => /[([]/.test(line)),
      [],
      `${name}: no sum leaves its register`,
    )
  }
  t.end()
})
