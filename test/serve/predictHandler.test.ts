/** What `predictHandler` answers: the same as `predict`, over node:http, Express and Fastify. */
// @ts-expect-error it comes without types
import express from 'express'
import fastify from 'fastify'
import sharp from 'sharp'
import t from 'tap'
import {
  ArgumentError,
  BusyError,
  type Classifier,
  DivergenceError,
  dataset,
  Flatten,
  fit,
  Linear,
  memory,
  mlp,
  predict,
  type Regressor,
  readImages,
  Sequential,
  SGD,
  ShapeError,
  softmaxCrossEntropy,
  table,
} from '../../lib/index.js'
import { predictHandler } from '../../lib/serve/index.js'
import { close, onBothBackendsLater } from '../support/engine.js'
import { ask, bytesOf, listening, post } from '../support/http.js'
import { refuses } from '../support/reference.js'

const rows = [
  [5.1, 3.5, 1.4, 0.2],
  [6.7, 3.1, 4.4, 1.4],
  [0, -1, 1e-3, 250],
]

function flowers(): Classifier {
  return {
    model: mlp([4, 8, 3]).eval(),
    inputs: 4,
    classes: ['setosa', 'versi"color', 'virginica'],
    loss: 'cross-entropy',
    preprocessing: { mean: [5.8, 3, 3.7, 1.2], scale: [1.2, 2.3, 0.5, 1.3] },
  }
}

/** The sum of 4 inputs, of which the last counts 1000. */
function summed(): Sequential {
  const layer = new Linear(4, 1)
  layer.weight.assign(tensorOf([1, 1, 1, 1000]))
  return new Sequential(layer)
}

const tensorOf = (values: number[]) => Float32Array.from(values)

onBothBackendsLater('classes: label, name and probabilities, as predict has them', async (t) => {
  const classifier = flowers()
  const handler = predictHandler(classifier)
  const url = await listening(t, handler)
  const { status, json } = await post(url, { inputs: rows })
  t.equal(status, 200)
  const { labels, names, scores } = predict(classifier, rows)
  t.strictSame(
    json.predictions.map(({ label }: { label: number }) => label),
    [...labels],
  )
  t.strictSame(
    json.predictions.map(({ name }: { name: string }) => name),
    names,
  )
  const found = json.predictions.flatMap((p: { probabilities: number[] }) => p.probabilities)
  close(t, Float32Array.from(found), scores, 1e-6, 'probabilities')

  const one = await post(url, { inputs: rows[1] })
  t.strictSame(one.json.predictions, [json.predictions[1]], 'a single row')
  const floats = await post(url, bytesOf(rows.flat()))
  t.equal(floats.headers.get('content-type'), 'application/octet-stream')
  t.strictSame(floats.floats, found.map(Math.fround), 'binary: the same numbers')
  await handler.dispose()
})

t.test('scores of a loss that knows no probabilities, values, bare outputs', async (t) => {
  const scored = { ...flowers(), loss: 'mse' as const }
  const url = await listening(t, predictHandler(scored))
  const { json } = await post(url, { inputs: rows[0] })
  close(
    t,
    Float32Array.from(json.predictions[0].scores),
    predict(scored, rows).scores.slice(0, 3),
    1e-5,
    'scores',
  )

  const plain = await listening(t, predictHandler(summed()))
  t.strictSame(
    (
      await post(plain, {
        inputs: [
          [1, 2, 3, 4],
          [0.1, 0, 0, 0],
        ],
      })
    ).json,
    {
      predictions: [{ outputs: [4006] }, { outputs: [0.1] }],
    },
  )
  t.strictSame((await post(plain, bytesOf([1, 2, 3, 4, 0, 0, 0, 1]))).floats, [4006, 1000])
})

t.test('rows of a table, by names and in order', async (t) => {
  const data = Array.from({ length: 40 }, (_, i) => ({
    city: ['rome', 'oslo'][i % 2],
    rooms: i % 5,
    price: 100 * (i % 5) + 7 * (i % 2),
  }))
  const { encoding } = await table(data, { target: 'price', task: 'regress' })
  const regressor: Regressor = { model: mlp([3, 4, 1]), inputs: 3, encoding, loss: 'mse' }
  const handler = predictHandler(regressor)
  const url = await listening(t, handler)
  const given = [
    { rooms: 3, city: 'oslo' },
    { city: 'rome', rooms: 0.5 },
  ]
  const expected = predict(regressor, given)
  const { json } = await post(url, { inputs: given })
  const values = json.predictions.map(({ value }: { value: number }) => value)
  close(t, Float32Array.from(values), expected, 1e-3, 'values')
  t.strictSame((await post(url, { inputs: given[0] })).json.predictions, [json.predictions[0]])
  t.strictSame((await post(url, { inputs: ['oslo', 3] })).json.predictions, [json.predictions[0]])
  t.strictSame(
    (await post(url, { inputs: given.map(({ rooms, city }) => [city, rooms]) })).json,
    json,
  )
  t.match(handler.info(), {
    answers: 'value',
    columns: [{ name: 'city', type: 'category', categories: ['oslo', 'rome'] }, { name: 'rooms' }],
  })

  const wrong: [unknown, RegExp][] = [
    [{ rooms: 3 }, /expected city in every row/],
    [{ rooms: 3, city: 'oslo', size: 4 }, /expected the columns city, rooms, got "size" in row 0/],
    [{ rooms: 'many', city: 'oslo' }, /expected numbers in column rooms, got "many"/],
    [
      { rooms: 3, city: 'bonn' },
      /expected a category that training had in column city, got "bonn"/,
    ],
    [{ rooms: null, city: 'oslo' }, /rooms/],
    [[{ rooms: 1, city: 'oslo' }, 7], /got 7 in row 1/],
    [['oslo', 3, 4], /expected rows of 2 cells/],
    [[], /expected rows, got none/],
    ['oslo', /expected a row or a list of rows, got 'oslo'/],
  ]
  for (const [inputs, message] of wrong) {
    const { status, json } = await post(url, { inputs })
    t.equal(status, 400)
    t.match(json.error, message)
  }
  const infinite = await post(url, '{"inputs": {"rooms": 1e999, "city": "oslo"}}')
  t.equal(infinite.status, 400)
  t.match(infinite.json.error, /rooms/)
  const nan = await post(url, '{"inputs": [{"city": "NaN \\" NaN", "rooms": -Infinity}]}')
  t.equal(nan.status, 400)
  t.equal(nan.json.error, 'inputs[0].rooms: expected a finite number, got -Infinity')
  t.equal((await post(url, bytesOf([1, 2]))).status, 415)

  const lenient = await listening(t, predictHandler(regressor, { unseen: 'ignore' }))
  t.equal((await post(lenient, { inputs: { rooms: 3, city: 'bonn' } })).status, 200)
})

t.test('what is wrong with numbers is named', async (t) => {
  const url = await listening(t, predictHandler(summed(), { maxRows: 2, maxBytes: 200 }))
  const wrong: [unknown, number, RegExp][] = [
    ['{"inputs": [1, 2', 400, /^expected JSON, got /],
    ['', 400, /^expected JSON, got nothing$/],
    ['{"inputs": [1, NaN, 3, 4]}', 400, /^inputs\[1\]: expected a finite number, got NaN$/],
    [
      '[1, 2, 3, 4]',
      400,
      /^expected an object as in \{"inputs": \[\.\.\.\]\}, got \[1, 2, 3, 4\]$/,
    ],
    ['null', 400, /^expected an object/],
    [{ instances: [[1, 2, 3, 4]] }, 400, /^expected an object as in/],
    [{ inputs: [1, 2, 3, 4], id: 7 }, 400, /^expected inputs and nothing else, got "id"$/],
    [{ inputs: [1, 2, 3, 4, 5] }, 400, /^inputs: expected 4 numbers, got 5$/],
    [
      {
        inputs: [
          [1, 2, 3, 4],
          [1, 2, 3],
        ],
      },
      400,
      /^inputs\[1\]: expected 4 numbers, got 3$/,
    ],
    [{ inputs: [[1, 2, 3, 4], 7] }, 400, /^inputs\[1\]: expected a row of 4 numbers, got 7$/],
    [
      { inputs: [1, '2', 3, 4] },
      400,
      /^inputs\[1\]: expected a finite number of float32, got '2'$/,
    ],
    [{ inputs: [[1, 2, null, 4]] }, 400, /^inputs\[0\]\[2\]: expected a finite .* got null$/],
    ['{"inputs": [1, 2, 3, 1e39]}', 400, /^inputs\[3\]: expected a finite .* got 1e\+39$/],
    [{ inputs: [] }, 400, /^inputs: expected a row of 4 numbers or a list of rows, got \[\]$/],
    [{ inputs: 7 }, 400, /^inputs: expected a row of 4 numbers or a list of rows, got 7$/],
    [
      {
        inputs: [
          [1, 2, 3, 4],
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ],
      },
      413,
      /at most 2 rows .*, got 3$/,
    ],
    [{ inputs: [1, 2, 3, 3e38] }, 422, /^expected inputs of a size that the model knows, got Inf/],
    [`{"inputs": [1, 2, 3, 4]${' '.repeat(200)}}`, 413, /^expected a body of at most 200 bytes/],
    [new Uint8Array(15), 400, /^expected rows of 4 float32, 16 bytes each, got 15 bytes$/],
    [new Uint8Array(0), 400, /got 0 bytes$/],
    [
      bytesOf([1, 2, 3, 4, 5, Number.NaN, 7, 8]),
      400,
      /^inputs\[1\]\[1\]: expected a fin.* got NaN$/,
    ],
    [bytesOf([1, 2, 3, 3e38]), 422, /got Infinity/],
  ]
  for (const [body, status, message] of wrong) {
    const answered = await post(url, body)
    t.equal(answered.status, status, String(message))
    t.match(answered.json.error, message)
  }
  t.equal((await post(url, { inputs: [1, 2, 3, 4] })).status, 200, 'it goes on')
})

t.test('methods and kinds of bodies that are not known', async (t) => {
  const handler = predictHandler(summed())
  const url = await listening(t, handler)
  const got = await ask(url)
  t.equal(got.status, 405)
  t.equal(got.headers.get('allow'), 'POST')
  t.equal((await post(url, '{}', 'text/plain')).status, 415)
  t.equal(
    (await post(url, { inputs: [1, 2, 3, 4] }, 'Application/JSON; charset=utf-8')).status,
    200,
  )
  t.match((await post(url, new Uint8Array(8), 'image/png')).json.error, /takes no images/)
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  t.equal((await ask(url, { method: 'POST', body: '{}', headers })).status, 415)
  t.match(handler.metrics(), /neuroblas_requests_total\{status="415"\} 3\n/)
  t.match(handler.metrics(), /neuroblas_request_duration_seconds_count 5\n/)
  t.match(handler.metrics(), /neuroblas_batch_rows_bucket\{le="1"\} 1\n/)
})

t.test('requests of one turn are a batch, and large ones are cut into several', async (t) => {
  const classifier = flowers()
  const handler = predictHandler(classifier, { batchSize: 4 })
  const url = await listening(t, handler)
  const many = Array.from({ length: 11 }, (_, i) => [i, i % 3, 1, -i])
  const expected = [...predict(classifier, many).labels]
  const { json } = await post(url, { inputs: many })
  t.strictSame(
    json.predictions.map(({ label }: { label: number }) => label),
    expected,
  )
  t.match(handler.metrics(), /neuroblas_batch_rows_sum 11\n.*batch_rows_count 3\n/)
  const answers = await Promise.all(many.map((inputs) => post(url, { inputs })))
  t.strictSame(
    answers.map(({ json }) => json.predictions[0].label),
    expected,
    'each has its own',
  )
})

t.test('batches of a large model are computed beside the event loop', async (t) => {
  const model = mlp([256, 1024, 1024, 2])
  const handler = predictHandler(model, { batchSize: 32 })
  const url = await listening(t, handler)
  const x = Array.from({ length: 48 }, (_, row) =>
    Array.from({ length: 256 }, (_, i) => Math.sin(row + i)),
  )
  const asked = [bytesOf(x.flat()), bytesOf(x[5]), bytesOf(x[7])].map((body) => post(url, body))
  const [all, ...single] = (await Promise.all(asked)).map(({ floats }) => floats)
  const expected = predict(model, x)
  close(t, Float32Array.from(all), Float32Array.from(expected.flatMap((y) => [...y])), 1e-5, 'all')
  for (const [i, row] of [5, 7].entries()) {
    close(t, Float32Array.from(single[i]), expected[row], 1e-5, `row ${row}`)
  }
  const { live } = memory()
  await post(url, bytesOf(x.flat()))
  t.ok(memory().live <= live, 'what runs leave is freed')
})

t.test('images, as their files have them', async (t) => {
  const images = { size: [2, 3], channels: 3, resize: 'stretch' } as const
  const layer = new Linear(18, 2)
  layer.weight.assign(Float32Array.from({ length: 36 }, (_, i) => (i % 2 ? 1 : 0)))
  const classifier: Classifier = {
    model: new Sequential(layer),
    inputs: 18,
    classes: ['dark', 'light'],
    loss: 'mse',
    preprocessing: { mean: [51], scale: [1 / 51] },
    images,
  }
  const url = await listening(t, predictHandler(classifier))
  const create = { width: 4, height: 4, channels: 3, background: '#663366' } as const
  const picture = await sharp({ create }).png().toBuffer()
  const { json } = await post(url, picture, 'image/png')
  t.match(json.predictions, [{ label: 1, name: 'light' }])
  const { scores } = predict(classifier, await readImages([picture], images))
  close(t, Float32Array.from(json.predictions[0].scores), scores, 1e-5, 'as predict')
  const broken = await post(url, picture.subarray(0, 60), 'image/png')
  t.equal(broken.status, 400)
  t.match(broken.json.error, /image 0: expected an intact image/)
  t.match((await post(url, '{}', 'image/png')).json.error, /expected an intact image/)
})

t.test('Express, before and behind its parser', async (t) => {
  const handler = predictHandler(summed())
  const app = express()
  app.post('/bare', handler)
  app.use(express.json())
  app.post('/parsed', handler)
  app.use(express.raw())
  app.post('/raw', handler)
  const url = await listening(t, app)
  const expected = { predictions: [{ outputs: [4006] }] }
  t.strictSame((await post(`${url}/bare`, { inputs: [1, 2, 3, 4] })).json, expected)
  t.strictSame((await post(`${url}/parsed`, { inputs: [1, 2, 3, 4] })).json, expected)
  t.strictSame((await post(`${url}/parsed`, bytesOf([1, 2, 3, 4]))).floats, [4006])
  t.strictSame((await post(`${url}/raw`, bytesOf([1, 2, 3, 4]))).floats, [4006])
  t.equal((await post(`${url}/parsed`, { inputs: [1] })).status, 400)
})

t.test('Fastify', async (t) => {
  const app = fastify()
  app.post('/predict', predictHandler(summed()))
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  )
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { json } = await post(`${url}/predict`, { inputs: [1, 2, 3, 4] })
  t.strictSame(json, { predictions: [{ outputs: [4006] }] })
  t.strictSame((await post(`${url}/predict`, bytesOf([1, 2, 3, 4]))).floats, [4006])
  t.match((await post(`${url}/predict`, { inputs: [1] })).json.error, /expected 4 numbers, got 1/)
})

t.test('a module whose examples have a shape', async (t) => {
  const model = new Sequential(new Flatten(), ...summed().layers)
  refuses(t, () => predictHandler(model), ArgumentError, /expected inputShape/)
  refuses(t, () => predictHandler(model, { inputShape: [2, 3] }), ShapeError)
  const url = await listening(t, predictHandler(model, { inputShape: [2, 2] }))
  const expected = { predictions: [{ outputs: [4006] }] }
  t.strictSame(
    (
      await post(url, {
        inputs: [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      })
    ).json,
    expected,
  )
  t.strictSame((await post(url, { inputs: [[1, 2, 3, 4]] })).json, expected)
  t.match(
    (await post(url, { inputs: [[[1, 2], [3]]] })).json.error,
    /^inputs\[0\]\[1\]: expected 2 el/,
  )
  t.match(
    (await post(url, { inputs: [[[1, 2], 3]] })).json.error,
    /^inputs\[0\]\[1\]: expected a list/,
  )
})

t.test('what cannot be served is refused', async (t) => {
  refuses(t, () => predictHandler(7 as never), ArgumentError)
  refuses(t, () => predictHandler(summed(), { batchSize: 0 }), ArgumentError)
  refuses(t, () => predictHandler(summed(), { unseen: 'maybe' as never }), ArgumentError)
  refuses(t, () => predictHandler(summed(), { rows: 3 } as never), ArgumentError)
  refuses(t, () => predictHandler(flowers(), { inputShape: [4] }), ArgumentError)
  const spoilt = summed()
  spoilt.parameters()[0].assign([1, Number.NaN, 0, 0])
  refuses(t, () => predictHandler(spoilt), DivergenceError)
  const model = mlp([4, 3])
  const data = dataset({
    inputs: Float32Array.from(rows.flat()),
    inputShape: [4],
    targets: Int32Array.of(0, 1, 2),
  })
  const optimizer = new SGD(model.parameters(), { lr: 0.1 })
  const training = fit(model, data, { loss: softmaxCrossEntropy, optimizer, epochs: 1 })
  refuses(t, () => predictHandler(model), BusyError)
  await training
})

t.test('answering allocates nothing, and dispose frees everything', async (t) => {
  const model = summed()
  const before = memory().live
  const handler = predictHandler(model)
  const url = await listening(t, handler)
  const all = () => Promise.all(rows.map((inputs) => post(url, { inputs })))
  await all()
  const { live } = memory()
  await all()
  // Less, where the collector came by.
  t.ok(memory().live <= live)
  await handler.dispose()
  t.ok(memory().live <= before)
})

t.test('what somebody else has begun to answer stops nobody', async (t) => {
  const handler = predictHandler(summed())
  const url = await listening(t, (request, response) => {
    handler(request, response)
    if (request.url === '/busy') request.on('end', () => response.writeHead(503).end('busy'))
  })
  for (let i = 0; i < 2; i++) {
    t.equal((await post(`${url}/busy`, bytesOf([1, 2, 3, 4]))).status, 503)
    t.strictSame((await post(url, bytesOf([1, 2, 3, 4]))).floats, [4006])
  }
  t.match(handler.metrics(), /requests_total\{status="499"\} 2$/m)
})

t.test('a client that is gone when its turn comes is left out', async (t) => {
  const handler = predictHandler(summed())
  const url = await listening(t, (request, response) => {
    handler(request, response)
    if (request.url === '/gone') request.on('end', () => response.destroy())
  })
  await t.rejects(post(`${url}/gone`, bytesOf([1, 2, 3, 4])))
  t.strictSame((await post(url, bytesOf([1, 2, 3, 4]))).floats, [4006])
  t.match(handler.metrics(), /requests_total\{status="499"\} 1$/m)
})

t.test('a batch has no more rows than batchSize', async (t) => {
  const handler = predictHandler(summed(), { batchSize: 3 })
  const url = await listening(t, handler)
  const four = Array(4).fill([1, 2, 3, 4]).flat()
  t.strictSame((await post(url, bytesOf(four))).floats, Array(4).fill(4006))
  t.match(handler.metrics(), /^neuroblas_batch_rows_count 2$/m)
})

t.test('a handler that was disposed of says so', async (t) => {
  const handler = predictHandler(summed())
  const url = await listening(t, handler)
  t.equal((await post(url, bytesOf([1, 2, 3, 4]))).status, 200)
  await Promise.all([handler.dispose(), handler.dispose()])
  await handler.dispose()
  const { status, json } = await post(url, bytesOf([1, 2, 3, 4]))
  t.equal(status, 503)
  t.match(json.error, /disposed of/)
})
