/**
 * Settings of an optimizer that a callback changed between epochs, such as a learning rate that it lowered:
 * a run that goes on later begins with them. Those that are numbers can be kept; functions cannot.
 */
import type { Optimizer } from '../optim/optimizer.js'

/** One of them. */
export interface ChangedSetting {
  /** Position of the group. */
  group: number
  name: string
  value: number
}

type Settings = Record<string, unknown>

/** Remembers the settings that an optimizer has when it is made. */
export class ChangedSettings {
  readonly #groups: readonly Settings[]
  readonly #begin: readonly Settings[]

  constructor({ groups }: Optimizer) {
    this.#groups = groups as readonly object[] as readonly Settings[]
    this.#begin = groups.map((group) => ({ ...group }))
  }

  /** What is another number by now. */
  find(): ChangedSetting[] {
    return this.#groups.flatMap((settings, group) =>
      Object.entries(settings)
        .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
        .filter(([name, value]) => value !== this.#begin[group][name])
        .map(([name, value]) => ({ group, name, value })),
    )
  }

  /** Changes the same settings as in an earlier run, without those that are to stay as they are. */
  apply(changed: readonly ChangedSetting[], without: readonly string[]): void {
    for (const { group, name, value } of changed) {
      const settings = this.#groups[group]
      if (typeof settings?.[name] !== 'number' || without.includes(name)) continue
      settings[name] = value
    }
  }
}
