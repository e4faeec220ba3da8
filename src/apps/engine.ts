/** What computes products, in words. */
import type { AddonInfo } from '../internal.js'

export const OWN_ENGINE = 'neuroblas'

/** Who computes float32 products: neuroblas itself, OpenBLAS with the kernels that it chose, or plain loops. */
export function engineOf({ gemm, core }: Pick<AddonInfo, 'gemm' | 'core'>): string {
  if (gemm === 'own') return OWN_ENGINE
  return gemm === 'loops' ? 'plain loops' : `OpenBLAS (${core})`
}

/** Kernels of OpenBLAS that are made for AVX2. */
const AVX2_CORES = ['haswell', 'zen']

/** What it costs that OpenBLAS leaves AVX-512 unused; undefined where it does not. */
export function costOfCore({
  gemm,
  core,
  avx512,
}: Pick<AddonInfo, 'gemm' | 'core' | 'avx512'>): string | undefined {
  if (!avx512 || !core || !AVX2_CORES.includes(core.toLowerCase())) return undefined
  const what = gemm === 'own' ? 'float64 products and neuroblas/blas' : 'products'
  return (
    `OpenBLAS runs its ${core} kernels, which leave this processor’s AVX-512 unused: ` +
    `${what} take about twice as long as with its SkylakeX kernels`
  )
}
