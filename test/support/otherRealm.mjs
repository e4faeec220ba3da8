// Evaluates the library in a context of its own, as Jest does: there the built-in classes are others than
// those of Node.js's modules and of the code that calls it.
//   node --experimental-vm-modules test/support/otherRealm.mjs FOLDER

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createContext, SourceTextModule, SyntheticModule } from 'node:vm'
import { gzipSync } from 'node:zlib'

const context = createContext({
  ...{
    process,
    performance,
    console,
    setTimeout,
    setInterval,
    setImmediate,
    clearTimeout,
    clearInterval,
    structuredClone,
  },
  ...{ URL, TextDecoder, TextEncoder, Buffer, AbortController, queueMicrotask },
})
const modules = new Map()

async function nodeModule(specifier) {
  const module = await import(specifier)
  const names = Object.keys(module)
  return new SyntheticModule(
    names,
    function () {
      for (const name of names) this.setExport(name, module[name])
    },
    { context },
  )
}

function link(specifier, from) {
  const isOurs = specifier.startsWith('.')
  const key = isOurs ? resolve(dirname(fileURLToPath(from.identifier)), specifier) : specifier
  if (!modules.has(key)) modules.set(key, isOurs ? load(key) : nodeModule(specifier))
  return modules.get(key)
}

async function load(path) {
  const identifier = pathToFileURL(path).href
  return new SourceTextModule(readFileSync(path, 'utf8'), {
    context,
    identifier,
    importModuleDynamically: (specifier) => import(specifier),
    initializeImportMeta: (meta) => {
      meta.url = identifier
    },
  })
}

async function evaluate(path) {
  const module = await load(fileURLToPath(new URL(path, import.meta.url)))
  await module.link(link)
  await module.evaluate()
  return module.namespace
}

const folder = process.argv[2]
const neuroblas = await evaluate('../../lib/index.js')
const { dataset, DataLoader, fit, loadModel, mlp, saveModel, SGD, tensor, zeros } = neuroblas
const { table, digits, evaluate: evaluateModel, mnist, softmaxCrossEntropy, split } = neuroblas

for (const backend of ['native', 'js']) {
  neuroblas.setBackend(backend)
  // Those of this realm are others than the library's.
  assert.equal(tensor(Int32Array.of(1, 2)).dtype, 'int32')
  assert.deepEqual([...tensor([Float32Array.of(1, 2)]).shape], [1, 2])
  const x = zeros([2])
  x.assign(Float64Array.of(3, 4))
  assert.deepEqual([...x.data()], [3, 4])
  assert.throws(() => tensor([1, 'a']), { name: 'ArgumentError' })

  const inputs = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7])
  const bytes = dataset({ inputs, inputShape: [2], targets: Int32Array.of(0, 1, 0, 1), scale: 0.5 })
  for (const batch of new DataLoader(bytes, { batchSize: 4 })) {
    assert.deepEqual([...batch.inputs.data()], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5])
  }
  const { train, test } = split(digits(), 0.5, 1)
  const model = mlp([64, 10])
  const optimizer = new SGD(model.parameters(), { lr: 0.1, regularizer: [neuroblas.l2(1e-4)] })
  const checkpoint = `${folder}/${backend}.safetensors`
  await fit(model, train, { loss: softmaxCrossEntropy, optimizer, epochs: 5, checkpoint })
  const { accuracy } = await evaluateModel(model, test, { loss: softmaxCrossEntropy })
  assert.ok(accuracy > 0.5, `${accuracy}`)

  const path = `${folder}/model-${backend}.safetensors`
  saveModel(model, path, { about: 'digits' })
  const again = mlp([64, 10])
  assert.equal(loadModel(again, path).about, 'digits')
  assert.deepEqual([...again.parameters()[0].data()], [...model.parameters()[0].data()])
  again.loadStateDict(new Map(model.stateDict()))

  writeFileSync(`${folder}/a.csv`, 'x,y\n1,a\n2,b\n3,a\n4,b\n')
  const read = await table(`${folder}/a.csv`, { target: 'y', testFraction: 0.5 })
  assert.deepEqual([...read.classes], ['a', 'b'])
  // Layers in containers of this realm.
  class Held extends neuroblas.Module {
    held = new Set([[new Map([['a', { b: mlp([2, 1]) }]])]])
    forward(x) {
      return x
    }
  }
  assert.equal(new Held().parameters().length, 2)
}

const idx = (magic, shape, values) => {
  const head = [0, 0, 8, shape.length, ...shape.flatMap((n) => [0, 0, 0, n])]
  assert.equal(magic, head[2])
  return gzipSync(Buffer.from([...head, ...values]))
}
for (const part of ['train', 't10k']) {
  writeFileSync(`${folder}/${part}-images-idx3-ubyte.gz`, idx(8, [2, 1, 1], [0, 255]))
  writeFileSync(`${folder}/${part}-labels-idx1-ubyte.gz`, idx(8, [2], [0, 1]))
}
const { train } = mnist(folder)
assert.deepEqual([...new DataLoader(train, { batchSize: 2 })].length, 1)
console.log('all of it works')
