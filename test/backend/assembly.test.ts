/**
 * What the compiler made of the micro-kernels (native/gemm/tile.h, native/conv/tile.h): the inner loops hold their sums in
 * registers and add by fused multiply-adds. A sum that goes through memory costs a quarter of the
 * speed, and no test may measure time.
 */
import { existsSync } from 'node:fs'
import t from 'tap'
import { functionsOf, isSpill, loopsOf, MULTIPLY_ADD, objectOf } from '../support/assembly.js'

const levels = process.arch === 'arm64' ? ['neon'] : ['avx2', 'avx512']
for (const level of levels) {
  const object = objectOf(`gemm/${level}`)
  const skip = existsSync(object) ? false : 'the addon was not built here'
  t.test(`no sum of a tile leaves its register: ${level}`, { skip }, (t) => {
    const tiles = functionsOf(object, 'tile<')
    const convolutions = functionsOf(object, 'conv_tile<')
    t.ok(tiles.size >= 20, `${tiles.size} tiles`)
    t.ok(convolutions.size >= 20, `${convolutions.size} tiles of convolutions`)
    for (const [name, instructions] of [...tiles, ...convolutions]) {
      const [, vectors, rows] = /(?:Floats|Doubles), (\d+)ul, (\d+)ul/.exec(name) ?? []
      const loops = loopsOf(instructions, MULTIPLY_ADD)
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
