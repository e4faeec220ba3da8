/** Checkpoints with other contents than `fit` gave them, under a checksum that fits. */
import { readFileSync, writeFileSync } from 'node:fs'
import { decodeSafetensors, encodeSafetensors } from '../../lib/io/safetensors.js'
import type { StoredTensor } from '../../lib/io/safetensorsDtypes.js'
import { checksumOf } from '../../lib/training/checkpointFile.js'

/** Changes the notes or the tensors of a checkpoint. */
export function rewriteCheckpoint<Notes>(
  file: string,
  change: (notes: Notes, tensors: Map<string, StoredTensor>) => object,
): void {
  const { tensors, metadata } = decodeSafetensors(readFileSync(file), file)
  const training = JSON.stringify(change(JSON.parse(metadata.training), tensors))
  const sha256 = checksumOf(tensors, training)
  writeFileSync(file, encodeSafetensors(tensors, { training, sha256 }))
}
