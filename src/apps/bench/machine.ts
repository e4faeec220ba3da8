/** The machine and the versions that the figures of a run depend on. */

import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus } from 'node:os'
import { BackendError } from '../../index.js'
import { loadAddon, packageFolder } from '../../internal.js'
import { costOfCore, engineOf } from '../engine.js'
import { sharedProcessor } from './processor.js'

export interface Machine {
  cpu: string
  cores: number
  /** Number of the processor that one-threaded training steps are measured on; null for any. */
  processor: number | null
  /** What computes float32 products; null without addon. */
  engine: string | null
  /** Version and build of the system's OpenBLAS, and the kernels it chose; null without addon. */
  openblas: string | null
  openblasCore: string | null
  /** What it costs that OpenBLAS leaves AVX-512 unused; null where it does not. */
  openblasCost: string | null
  /** Level of the vector instructions in force, where none is asked for. */
  level: string | null
  node: string
  platform: string
}

export function machineOf(): Machine {
  const addon = addonInfo()
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    processor: sharedProcessor(),
    engine: addon ? engineOf(addon) : null,
    openblas: addon?.openblas?.trim() ?? null,
    openblasCore: addon?.core ?? null,
    openblasCost: (addon && costOfCore(addon)) ?? null,
    level: addon?.simd ?? null,
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

/** The top folder of the clone or package that this file is in. */
export const OWN_FOLDER = packageFolder()

/** The commit of the clone that is this folder; null where it is none, as an installed package. */
export function commitOf(folder: string): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim()
  try {
    // A folder inside a repository, as a dependency is, says nothing of that repository's commit.
    if (git('rev-parse', '--show-prefix') !== '') return null
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return git('rev-parse', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return null
  }
}
