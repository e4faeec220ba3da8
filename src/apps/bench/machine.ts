/** What the figures of a run depend on. */

import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { BackendError } from '../../index.js'
import { loadAddon } from '../../internal.js'

export interface Machine {
  cpu: string
  cores: number
  /** Version and build of the system's OpenBLAS, and the kernels it chose; null without addon. */
  openblas: string | null
  openblasCore: string | null
  /** Instructions that our own kernels use. */
  simd: string | null
  node: string
  platform: string
}

export function machineOf(): Machine {
  const addon = addonInfo()
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    openblas: addon?.openblas.trim() ?? null,
    openblasCore: addon?.core ?? null,
    simd: addon?.simd ?? null,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  }
}

function addonInfo() {
  try {
    return loadAddon().info()
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    return undefined
  }
}

/** The commit of the clone that this file is in; null for an installed package. */
export function commitOf(): string | null {
  const folder = import.meta.dirname
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  try {
    // Inside somebody else's repository, as a dependency, lib/ is ignored or vendored: not ours.
    if (folder.includes('node_modules')) return null
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return git('rev-parse', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return null
  }
}
