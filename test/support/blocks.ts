/** Sources of blocks for tests: data sets cut into blocks. */
import type { Block, BlockSource, Dataset, TargetKind } from '../../lib/index.js'

/**
 * A data set as a source whose blocks have these sizes in turn.
 * @param more what else the source says of itself, or says in another way
 */
export function inBlocks<K extends TargetKind>(
  { inputs, inputShape, targets, targetShape, classes, size, scale, name }: Dataset<K>,
  sizes: readonly number[],
  more: Partial<BlockSource<K>> = {},
): BlockSource<K> {
  const [width, targetWidth] = [inputs.length / size, targets.length / size]
  return {
    name,
    inputShape,
    scale,
    ...(inputs instanceof Uint8Array && { dtype: 'uint8' }),
    ...(targets instanceof Int32Array ? { classes } : { targetShape }),
    async *blocks() {
      for (let [row, i] = [0, 0]; row < size; row += sizes[i++ % sizes.length]) {
        const end = row + sizes[i % sizes.length]
        yield {
          inputs: inputs.slice(row * width, end * width),
          targets: targets.slice(row * targetWidth, end * targetWidth),
        } as Block<K>
      }
    },
    ...more,
  }
}

/** What a source gave, and whether it was closed. */
export function watched<K extends TargetKind>(source: BlockSource<K>) {
  const seen = { begun: 0, ended: 0, blocks: 0 }
  const watching: BlockSource<K> = {
    ...source,
    async *blocks() {
      seen.begun++
      try {
        for await (const block of source.blocks()) {
          seen.blocks++
          yield block
        }
      } finally {
        seen.ended++
      }
    },
  }
  return { source: watching, seen }
}
