/** What computes products, as `info` and the benchmark name it. */
import t from 'tap'
import { costOfCore, engineOf } from '../../lib/apps/engine.js'

t.test('the engine', (t) => {
  t.equal(engineOf({ gemm: 'OpenBLAS', core: 'Haswell' }), 'OpenBLAS (Haswell)')
  t.equal(engineOf({ gemm: 'another', core: 'Haswell' }), 'another')
  t.end()
})

t.test('kernels of OpenBLAS that leave AVX-512 unused', (t) => {
  const cost =
    'OpenBLAS runs its Haswell kernels, which leave this processor’s AVX-512 unused: ' +
    'its products take about twice as long as with its SkylakeX kernels'
  t.equal(costOfCore({ core: 'Haswell', avx512: true }), cost)
  t.match(costOfCore({ core: 'ZEN', avx512: true }), /its ZEN kernels/)
  t.equal(costOfCore({ core: 'Haswell', avx512: false }), undefined)
  t.equal(costOfCore({ core: 'SkylakeX', avx512: true }), undefined)
  t.equal(costOfCore({ core: 'Cooperlake', avx512: true }), undefined)
  t.end()
})
