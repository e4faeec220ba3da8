/** How the files of a model that is in several are called, as Hugging Face's libraries have it. */
import { parse } from 'node:path'

const INDEX = '.index.json'

/** The index of the model at a path. */
export function indexOf(path: string): string {
  return path + INDEX
}

export function isIndex(path: string): boolean {
  return path.endsWith(INDEX)
}

/**
 * `model-00001-of-00003.safetensors`. While a set is replaced, the new one lies beside it as another version:
 * `model-00001-of-00003.v2.safetensors`.
 */
export function shardName(path: string, number: number, count: number, version: number): string {
  const { name, ext } = parse(path)
  const [at, all] = [number, count].map((n) => String(n).padStart(5, '0'))
  return `${name}-${at}-of-${all}${version === 1 ? '' : `.v${version}`}${ext}`
}

/** The version that a file is a shard of, undefined where it is none of this model's. */
export function versionOf(path: string, file: string): number | undefined {
  const { name, ext } = parse(path)
  if (!file.startsWith(`${name}-`) || !file.endsWith(ext)) return undefined
  const middle = file.slice(name.length + 1, file.length - ext.length)
  const shard = /^\d{5,}-of-\d{5,}(?:\.v(?<version>[1-9]\d*))?$/.exec(middle)
  return shard ? Number(shard.groups?.version ?? 1) : undefined
}
