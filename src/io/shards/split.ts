/** Parts the tensors of a model among files. */
import { dtypes } from '../../backend/dtype.js'
import { ArgumentError, excerpt } from '../../base/errors.js'
import type { Writable } from '../safetensors.js'

type Entry = readonly [string, Writable]

const UNITS = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }

/** What the option `maxShardSize` says, in bytes. @throws ArgumentError when it is no size */
export function shardBytes(op: string, size: number | string | undefined): number {
  if (size === undefined) return Infinity
  const text = typeof size === 'string' ? size : ''
  const { count, unit } = /^(?<count>\d+(?:\.\d+)?) ?(?<unit>[KMGT]B)$/.exec(text)?.groups ?? {}
  const bytes = unit ? Math.floor(Number(count) * UNITS[unit as keyof typeof UNITS]) : size
  if (Number.isSafeInteger(bytes) && (bytes as number) > 0) return bytes as number
  throw new ArgumentError(
    `${op}: expected maxShardSize in bytes, or such as '500MB' (KB, MB, GB, TB), got ${excerpt(size)}`,
  )
}

/** The bytes of a tensor's values in a file. */
export function bytesOf(tensor: Writable): number {
  return 'size' in tensor ? tensor.size * dtypes[tensor.dtype].bytes : tensor.data.byteLength
}

/**
 * Groups of at most `most` bytes in the order of the tensors; what is larger is in a group of its own. The
 * same groups as those of `split_torch_state_dict_into_shards` of huggingface_hub.
 */
export function splitIntoShards(entries: readonly Entry[], most: number): Entry[][] {
  const shards: Entry[][] = []
  let shard: Entry[] = []
  let filled = 0
  for (const entry of entries) {
    const bytes = bytesOf(entry[1])
    if (bytes > most) {
      shards.push([entry])
      continue
    }
    if (filled + bytes > most) {
      shards.push(shard)
      shard = []
      filled = 0
    }
    shard.push(entry)
    filled += bytes
  }
  return shard.length > 0 ? [...shards, shard] : shards
}
