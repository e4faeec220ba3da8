// Packages that others have written over TensorFlow.js: they find the same on the backend neuroblas as on cpu,
// and nothing there is left to cpu.
//   node test/tfjs/clients.mjs [face-api] [nsfwjs] [knn-classifier]
// Says what each found; ends with exit code 1 when something differs. Models and pictures are in the packages.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Resvg } from '@resvg/resvg-js'
import { fromLayersModel } from '../../lib/frontends/tfjs/index.js'
import { noGrad, tensor } from '../../lib/index.js'

const require = createRequire(import.meta.url)
// cpu advises to install another package, and nsfwjs says which model it takes.
console.warn = () => {}
console.info = () => {}
const tf = require('@tensorflow/tfjs')
const BACKENDS = ['cpu', 'neuroblas']
const faceApi = new URL('../../node_modules/@vladmandic/face-api/', import.meta.url)

/** A demo picture of face-api, [height, width, 3]. */
function picture(name, width = 480) {
  const jpeg = readFileSync(new URL(`demo/${name}`, faceApi)).toString('base64')
  const href = `data:image/jpeg;base64,${jpeg}`
  const [height, across] = sizeOf(Buffer.from(jpeg, 'base64'))
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${across}" height="${height}"><image href="${href}" width="${across}" height="${height}"/></svg>`
  const drawn = new Resvg(svg, { fitTo: { mode: 'width', value: width } }).render()
  const shape = [drawn.height, drawn.width, 4]
  return tf.tidy(() => tf.tensor3d(drawn.pixels, shape, 'int32').slice(0, [-1, -1, 3]))
}

/** [height, width] of a JPEG, from the segment that begins its frame. */
function sizeOf(jpeg) {
  for (let at = 2; ; at += 2 + jpeg.readUInt16BE(at + 2)) {
    const marker = jpeg[at + 1]
    if (marker >= 0xc0 && marker <= 0xc2)
      return [jpeg.readUInt16BE(at + 5), jpeg.readUInt16BE(at + 7)]
  }
}

/** What a function finds on each backend; on ours without help. */
async function onBoth(find) {
  const found = []
  for (const backend of BACKENDS) {
    await tf.setBackend(backend)
    const before = backend === 'neuroblas' ? tf.backend().fallbacks() : undefined
    const begin = performance.now()
    found.push(await find())
    console.log(`  ${backend}: ${((performance.now() - begin) / 1000).toFixed(2)} s`)
    if (before) assert.deepEqual(tf.backend().fallbacks(), before, 'kernels that cpu computed')
  }
  return found
}

/** The largest difference of two lists of numbers, which must be as long. */
function furthest(got, wanted) {
  assert.equal(got.length, wanted.length)
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0)
}

function near(what, got, wanted, bound) {
  const distance = furthest([...got], [...wanted])
  console.log(`  ${what}: at most ${distance.toExponential(1)} apart`)
  assert.ok(distance <= bound, `${what}: expected at most ${bound}, got ${distance}`)
}

const numbersOf = ({ x, y, width, height }) => [x, y, width, height]
const pointsOf = ({ positions }) => positions.flatMap(({ x, y }) => [x, y])

async function faces(api, image, options, isTiny) {
  const found = await api
    .detectAllFaces(image, options)
    .withFaceLandmarks(isTiny)
    .withFaceExpressions()
    .withAgeAndGender()
    .withFaceDescriptors()
  return {
    boxes: found.flatMap(({ detection }) => numbersOf(detection.box)),
    landmarks: found.flatMap(({ landmarks }) => pointsOf(landmarks)),
    scores: found.flatMap(({ detection, expressions, gender, genderProbability }) => [
      detection.score,
      genderProbability,
      gender === 'male' ? 1 : 0,
      ...Object.values(expressions),
    ]),
    ages: found.map(({ age }) => age),
    descriptors: found.flatMap(({ descriptor }) => [...descriptor]),
  }
}

const FACE_NETS = [
  'ssdMobilenetv1',
  'tinyFaceDetector',
  'faceLandmark68Net',
  'faceLandmark68TinyNet',
  'faceExpressionNet',
  'ageGenderNet',
  'faceRecognitionNet',
]

const clients = {
  /** Seven networks: two that find faces, two of landmarks, expressions, age and gender, and descriptors. */
  async 'face-api'() {
    const api = require('@vladmandic/face-api/dist/face-api.node-wasm.js')
    const folder = new URL('model', faceApi).pathname
    for (const net of FACE_NETS) await api.nets[net].loadFromDisk(folder)
    const ssd = new api.SsdMobilenetv1Options({ minConfidence: 0.3, maxResults: 10 })
    const tiny = new api.TinyFaceDetectorOptions({ inputSize: 320, scoreThreshold: 0.3 })
    const runs = [
      ['sample1.jpg', ssd, false],
      ...[1, 2, 3, 4, 5, 6].map((i) => [`sample${i}.jpg`, tiny, true]),
    ]
    let count = 0
    for (const [name, options, isTiny] of runs) {
      console.log(` ${name}, ${options === ssd ? 'ssdMobilenetv1' : 'tinyFaceDetector'}`)
      const [wanted, got] = await onBoth(async () => {
        const image = picture(name)
        const found = await faces(api, image, options, isTiny)
        image.dispose()
        return found
      })
      count += wanted.ages.length
      console.log(`  ${wanted.ages.length} faces`)
      near('boxes', got.boxes, wanted.boxes, 1e-3)
      near('landmarks', got.landmarks, wanted.landmarks, 1e-3)
      near('scores', got.scores, wanted.scores, 1e-4)
      near('ages', got.ages, wanted.ages, 1e-3)
      near('descriptors', got.descriptors, wanted.descriptors, 1e-4)
    }
    assert.ok(count >= runs.length, `expected a face in most pictures, got ${count}`)
  },

  /** MobileNetV2, also as a network of this library. */
  async nsfwjs() {
    const nsfwjs = require('nsfwjs')
    const classifier = await nsfwjs.load('MobileNetV2')
    for (const name of ['sample1.jpg', 'sample4.jpg']) {
      const [wanted, got] = await onBoth(async () => {
        const image = picture(name, 224)
        const classes = await classifier.classify(image, 5)
        image.dispose()
        return new Map(classes.map(({ className, probability }) => [className, probability]))
      })
      near(
        name,
        [...wanted.keys()].map((key) => got.get(key)),
        [...wanted.values()],
        1e-5,
      )
    }
    const network = fromLayersModel(classifier.model)
    const x = tf.randomUniform([1, 224, 224, 3], 0, 1, 'float32', 1)
    const wanted = classifier.model.predict(x).dataSync()
    const got = noGrad(() => network.forward(tensor(x.dataSync(), x.shape)))
    near('fromLayersModel', got.data(), wanted, 1e-6)
  },

  async 'knn-classifier'() {
    const knn = require('@tensorflow-models/knn-classifier')
    const [wanted, got] = await onBoth(async () => {
      const classifier = knn.create()
      const draw = (seed) => tf.randomNormal([64], seed % 3, 1, 'float32', seed)
      for (let seed = 1; seed <= 60; seed++) classifier.addExample(draw(seed), `class ${seed % 3}`)
      const found = []
      for (let seed = 101; seed <= 130; seed++)
        found.push(await classifier.predictClass(draw(seed), 5))
      classifier.dispose()
      return found
    })
    assert.deepEqual(got, wanted)
    console.log(`  ${wanted.length} predictions, identical`)
  },
}

const names = process.argv.slice(2)
for (const name of names.length > 0 ? names : Object.keys(clients)) {
  console.log(name)
  await clients[name]()
}
console.log('clients: all the same')
