// Puts the compiled library into one file, neuroblas.js, because Node takes long to find and read a
// hundred. The files of its modules stay, and export their names from there. Frontends, charts and
// apps stay as they are: not everyone who imports the library uses them.
//   node scripts/setup/bundle.mjs FOLDER
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { transform } from 'esbuild'
import { rollup } from 'rollup'

const folder = resolve(process.argv[2])
const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.js'))
const modules = files.filter((file) => !/^(apps|frontends|plot|serve)\//.test(file))
const pathOf = (file) => join(folder, file)

/** An entry that uses every module. Without it rollup would make the file of one module the one file. */
const user = {
  name: 'user',
  resolveId: (id) => (id === 'user' ? id : null),
  load: (id) =>
    id === 'user'
      ? modules
          .map((file, i) => `export * as m${i} from ${JSON.stringify(pathOf(file))}`)
          .join('\n')
      : null,
  generateBundle(_, files) {
    delete files['user.js']
    delete files['user.js.map']
  },
}

const withMaps = {
  name: 'with-maps',
  load: (path) => ({
    code: readFileSync(path, 'utf8'),
    map: readFileSync(`${path}.map`, 'utf8'),
  }),
}

/** What others' bundlers are told by comments (base/packages.ts), of which the compiler keeps none. */
const IGNORE = '/* webpackIgnore: true */ /* @vite-ignore */'

/** The names of functions and classes stay, for stack traces and errors. */
const compacted = (code, sourcemap) =>
  transform(code, {
    format: 'esm',
    sourcemap,
    legalComments: 'none',
    minify: true,
    keepNames: true,
    lineLimit: 100,
  })

const compact = {
  name: 'compact',
  renderChunk: async (given) => {
    const { code, map } = await compacted(given, true)
    return { code: code.replace(/\bimport\((\w+)\)/, `import(${IGNORE} $1)`), map }
  },
}

const bundle = await rollup({
  input: {
    user: 'user',
    ...Object.fromEntries(modules.map((file) => [file.slice(0, -'.js'.length), pathOf(file)])),
  },
  // csv-parse is read when a table is.
  external: /^(node:|csv-parse$)/,
  plugins: [user, withMaps],
  treeshake: false,
  preserveEntrySignatures: 'strict',
  onLog(_, log) {
    // Modules that only have types.
    if (log.code !== 'EMPTY_BUNDLE') throw new Error(log.message)
  },
})
await bundle.write({
  dir: folder,
  manualChunks: (id) => (id === 'user' ? null : 'neuroblas'),
  chunkFileNames: '[name].js',
  entryFileNames: '[name].js',
  hoistTransitiveImports: false,
  minifyInternalExports: false,
  sourcemap: true,
  sourcemapExcludeSources: true,
  plugins: [compact],
})
if (!readFileSync(pathOf('neuroblas.js'), 'utf8').includes('webpackIgnore')) {
  throw new Error('bundle: expected one import(name), which bundlers leave alone, and found none')
}

/** A module that stays what it is; its map leads on to its source. */
async function compactInPlace(file) {
  const path = pathOf(file)
  const given = readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL=.*\s*$/, '')
  const before = readFileSync(`${path}.map`, 'base64')
  const url = '//# sourceMappingURL='
  const { code, map } = await compacted(
    `${given}${url}data:application/json;base64,${before}`,
    'external',
  )
  writeFileSync(`${path}.map`, map)
  writeFileSync(path, `${code}${url}${basename(path)}.map\n`)
}
await Promise.all(files.filter((file) => !modules.includes(file)).map(compactInPlace))
