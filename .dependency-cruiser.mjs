// Which room may import which: `npm run check` refuses an import that these rules do not allow.
// Types count as well as values.
const library = '^src/(?!apps/|frontends/)'

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export default {
  forbidden: [
    forbid(
      'no-circles',
      'Two files that need each other are one, or lack a third.',
      {},
      { circular: true },
    ),
    forbid(
      'base-stands-alone',
      'base/ is under everything: errors, arguments, text.',
      { path: '^src/base/' },
      { path: '^src/(?!base/)' },
    ),
    forbid(
      'backend-knows-no-tensor',
      'Below the seam there are handles and numbers only.',
      { path: '^src/backend/' },
      { path: '^src/(?!base/|backend/)' },
    ),
    forbid(
      'tensor-knows-no-op',
      'Ops are made from the tensor class; autograd/attach.ts gives it its computing methods.',
      { path: '^src/tensor/' },
      { path: '^src/(?!base/|backend/|tensor/)' },
    ),
    forbid(
      'metrics-know-no-network',
      'They are given predictions and targets as numbers.',
      { path: '^src/metrics/' },
      { path: '^src/(?!base/|backend/|tensor/|metrics/)' },
    ),
    forbid(
      'library-knows-no-app',
      'Apps and frontends are written over the library, never under it.',
      { path: library },
      { path: '^src/(apps|frontends)/' },
    ),
    forbid(
      'nothing-serves-unasked',
      'serve/ needs node:http; whoever wants it imports neuroblas/serve.',
      { path: '^src/(?!serve/|apps/)' },
      { path: '^src/serve/' },
    ),
    forbid(
      'front-doors',
      'Apps and frontends use the public entry points, and internal.ts.',
      { path: '^src/(apps|frontends)/' },
      {
        path: '^src/',
        pathNot: '^src/((apps|frontends)/|(index|internal)\\.ts$|(plot|blas|serve)/index\\.ts$)',
      },
    ),
    forbid(
      'internal-is-for-apps',
      'internal.ts is for apps and frontends; the library imports the module itself.',
      { path: library },
      { path: '^src/internal\\.ts$' },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    includeOnly: '^src/',
  },
}
