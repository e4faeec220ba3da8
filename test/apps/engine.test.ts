/** What computes products, as `info` and the benchmark name it. */
import t from 'tap'
import { costOfCore, engineOf } from '../../lib/apps/engine.js'

t.test('the engine', (t) => {
  t.equal(engineOf({ gemm: 'own', core: 'Haswell' }), 'neuroblas')
  t.equal(engineOf({ gemm: 'openblas', core: 'Haswell' }), 'OpenBLAS (Haswell)')
  t.end()
})

t.test('kernels of OpenBLAS that leave AVX-512 unused', (t) => {
  const cost =
    'OpenBLAS runs its Haswell kernels, which leave this processor’s AVX-512 unused: ' +
    'products take about twice as long as with its SkylakeX kernels'
  t.equal(costOfCore({ gemm: 'openblas', core: 'Haswell', avx512: true }), cost)
  t.match(
    costOfCore({ gemm: 'own', core: 'ZEN', avx512: true }),
    /its ZEN kernels.* unused: float64 products and neuroblas\/blas take about twice as long/,
  )
  t.equal(costOfCore({ gemm: 'own', core: 'Haswell', avx512: false }), undefined)
  for (const core of ['SkylakeX', 'Cooperlake', 'Sapphirerapids']) {
    t.equal(costOfCore({ gemm: 'openblas', core, avx512: true }), undefined)
  }
  t.end()
})
