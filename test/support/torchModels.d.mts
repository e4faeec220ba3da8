import type { AnyModule, Module, ModuleDict } from '../../lib/index.js'

export const layers: Record<string, () => AnyModule>
export const networks: Record<string, () => Module>
export const renames: Record<string, Record<string, string>>
export function fileOf(name: string): string
export class Layers extends ModuleDict {}
