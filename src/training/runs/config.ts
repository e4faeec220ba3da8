/** `config.json`: what a run is, for people and programs that compare runs. */
import { readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { currentBackend, getNumThreads } from '../../backend/current.js'
import { parseJson } from '../../base/text.js'
import { writeFileAtomically } from '../../io/files.js'
import type { Run } from '../checkpointFile.js'
import type { Identity } from '../identity.js'

/** What the file holds. */
export interface RunConfig {
  format: 1
  /** When the run began, in UTC. */
  created: string
  versions: { neuroblas: string; node: string; system: string; backend: string }
  threads: number
  seed: number
  /** Digests of what is trained and validated on (SHA-256), and how many examples are trained on. */
  data: { digest: unknown; validation: unknown; examples: number }
  model: { modules: string; parameters: number; state: unknown }
  /** What decides on the steps: loss, optimizer, batches. */
  settings: Readonly<Record<string, unknown>>
  /** What the caller says besides. */
  config: Readonly<Record<string, unknown>>
}

/** Makes it of what the checkpoints know of the training. */
export function configOf(
  { model, loss, settings }: Run,
  identity: Identity,
  { epochs, config = {}, created }: { epochs: number; config?: object; created?: string },
): RunConfig {
  const { data, validation, examples, seed, parameters, step, version, ...others } = identity
  const { names } = step as { names: string }
  return {
    format: 1,
    created: created ?? new Date().toISOString(),
    versions: {
      neuroblas: version as string,
      node: process.version,
      system: `${platform()} ${arch()}`,
      backend: currentBackend().name,
    },
    threads: getNumThreads(),
    seed: settings.seed,
    data: { digest: data, validation, examples: settings.examples },
    model: {
      modules: names.split('; ')[0],
      parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
      state: parameters,
    },
    settings: { loss: loss.name, ...others, epochs },
    config: config as RunConfig['config'],
  }
}

export function writeConfig(path: string, config: RunConfig): void {
  writeFileAtomically(path, Buffer.from(`${JSON.stringify(config, null, 2)}\n`))
}

/** @throws SyntaxError for what is no JSON, and as node:fs does */
export function readConfig(path: string): Partial<RunConfig> {
  const found = parseJson(readFileSync(path, 'utf8'))
  return typeof found === 'object' && found !== null ? found : {}
}
