/**
 * The code beside the figures of the lecture's page: each excerpt is a program that a reader can paste
 * into a file. All of them are checked for types, which finds names that nothing defines, and run, with
 * one epoch where there are many.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import t from 'tap'
import ts from 'typescript'
import { experiments } from '../../lib/apps/lecture/index.js'
import { excerpt } from '../../lib/apps/lecture/source.js'

const programs = experiments.map(({ name }) => ({ name, code: excerpt(name) }))

t.test('the excerpts have every name that they use', async (t) => {
  const folder = t.testdir()
  const files = programs.map(({ name, code }) => {
    const file = join(folder, `${name}.mts`)
    writeFileSync(file, code)
    return file
  })
  const program = ts.createProgram(files, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
  })
  const found = ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
  t.strictSame(found, [])
})

for (const { name, code } of programs) {
  t.test(`the excerpt of ${name} runs`, async (t) => {
    const folder = t.testdir()
    const file = join(folder, `${name}.mjs`)
    const brief = code.replace(/\bepochs(:| =) \d+/g, 'epochs$1 1')
    writeFileSync(file, transformSync(brief, { loader: 'ts', format: 'esm' }).code)
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
  })
}
