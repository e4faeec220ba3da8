/**
 * Every op by name; the op tests walk it. It stands alone, because ops are defined while the modules
 * that they are made from, which need each other, are still being loaded.
 */
export const ops = new Map<string, { differentiable: boolean }>()
