/** The machine code of the addon, for what no test can see in results or may see in times. */
import { execFileSync } from 'node:child_process'

/** Why the code cannot be looked at here; false where it can. */
export const noAssembly =
  process.platform !== 'linux'
    ? 'objdump is Linux’s'
    : process.env.NEUROBLAS_ADDON
      ? 'another build of the addon'
      : false

const addon = new URL('../../build/Release/neuroblas.node', import.meta.url).pathname

/** The instructions of a function, by its mangled name: `vaddps %ymm1,%ymm2,%ymm3`. */
export function instructionsOf(symbol: string): string[] {
  const args = [`--disassemble=${symbol}`, '--no-show-raw-insn', addon]
  const text = execFileSync('objdump', args, { encoding: 'utf8' })
  return [...text.matchAll(/^ +[0-9a-f]+:\t(.*?) *$/gm)].map(([, line]) => line.replace(/\s+/, ' '))
}
