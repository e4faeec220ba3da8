/** Packages that are loaded when they are used: what is said where they are missing. */
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { loadPackages } from '../../lib/base/packages.js'
import { MissingPackageError } from '../../lib/index.js'

t.test('those that are there are loaded', async (t) => {
  const [path, typescript] = await loadPackages<[any, any]>('test', 'node:path', 'typescript')
  t.equal(path.basename('a/b'), 'b')
  t.type(typescript.default.version, 'string')
})

t.test('those that are missing are named, and no others', async (t) => {
  await t.rejects(loadPackages('test', 'no-such-package', 'typescript', '@no/such'), {
    constructor: MissingPackageError,
    message:
      'test: expected the npm packages no-such-package, @no/such, got none; ' +
      '`npm install no-such-package @no/such`',
  })
  await t.rejects(loadPackages('test', 'typescript', '@no/such'), {
    message: 'test: expected the npm package @no/such, got none; `npm install @no/such`',
  })
})

t.test('what is wrong in a package is no missing package', async (t) => {
  const dir = t.testdir({
    'broken.mjs': "throw new RangeError('broken')",
    'needs.mjs': "import 'no-such-package'",
  })
  const url = (file: string) => pathToFileURL(`${dir}/${file}`).href
  await t.rejects(loadPackages('test', url('broken.mjs')), {
    name: 'RangeError',
    message: 'broken',
  })
  await t.rejects(loadPackages('test', url('needs.mjs')), {
    message: /Cannot find package 'no-such-package'/,
  })
})
