/** What computes products, in words. */
import type { AddonInfo } from '../internal.js'

/** The engine of float32 products; OpenBLAS with the kernels that it chose. */
export function engineOf({ gemm, core }: Pick<AddonInfo, 'gemm' | 'core'>): string {
  return gemm === 'OpenBLAS' ? `${gemm} (${core})` : gemm
}

/** Kernels of OpenBLAS that are made for AVX2. */
const AVX2_CORES = ['haswell', 'zen']

/** What it costs that OpenBLAS leaves AVX-512 unused; undefined where it does not. */
export function costOfCore({ core, avx512 }: Pick<AddonInfo, 'core' | 'avx512'>) {
  if (!avx512 || !AVX2_CORES.includes(core.toLowerCase())) return undefined
  return (
    `OpenBLAS runs its ${core} kernels, which leave this processor’s AVX-512 unused: ` +
    'its products take about twice as long as with its SkylakeX kernels'
  )
}
