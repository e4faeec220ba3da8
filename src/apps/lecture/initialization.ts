/** Item 11: how weights start, and what becomes of the activations then. */
import {
  type ActivationName,
  digits,
  evaluate,
  fit,
  Generator,
  getBackend,
  init,
  Linear,
  mlp,
  noGrad,
  SGD,
  setBackend,
  setSeed,
  softmaxCrossEntropy,
  split,
  type Tensor,
} from 'neuroblas'
import { bars, lines } from 'neuroblas/plot'
import type { Claim, Context, Experiment, Outcome } from './experiment.js'

const DEPTH = 12
const WIDTH = 256

const schemes = {
  'std 0.01': init.normal(0, 0.01),
  '±0.2': init.uniform(-0.2, 0.2),
  Glorot: init.glorotUniform,
  He: init.heNormal,
  orthogonal: init.orthogonal(),
}

/** Root mean square of the activations after each layer, of normally distributed inputs. */
function sizesOf(activation: ActivationName, scheme: init.Initializer): number[] {
  setSeed(1)
  // lecture:begin
  const units = new Array<number>(DEPTH + 1).fill(WIDTH)
  const network = mlp(units, { activation, init: scheme })
  const x = new Generator(1).normal([500, WIDTH])
  const sizes: number[] = []
  noGrad(() =>
    network.layers.reduce((h, layer) => {
      const next = layer.forward(h)
      if (!(layer instanceof Linear)) sizes.push(Math.sqrt(next.square().mean().item()))
      return next
    }, x),
  )
  // lecture:end
  network.dispose()
  return sizes
}

/** The bounds and the spread that each scheme promises, measured on one large matrix. */
function claimsOfSchemes(): Claim[] {
  const [fanIn, fanOut] = [400, 200]
  const draw = (scheme: init.Initializer) => scheme([fanIn, fanOut], new Generator(1))
  const variance = (w: Tensor) => w.square().mean().item()
  const largest = draw(init.glorotUniform).abs().max().item()
  const bound = Math.sqrt(6 / (fanIn + fanOut))
  const promised = [
    ['Glorot', init.glorotUniform, 2 / (fanIn + fanOut)],
    ['He', init.heNormal, 2 / fanIn],
    ['LeCun', init.lecunNormal, 1 / fanIn],
  ] as const
  const ratios = promised.map(([, scheme, value]) => variance(draw(scheme)) / value)
  const q = draw(init.orthogonal())
  const identity = q.matmul(q, { transA: true }).data()
  const skew = identity.map((value, i) => Math.abs(value - (i % (fanOut + 1) === 0 ? 1 : 0)))
  return [
    {
      claim: 'Glorot: all weights within ±√(6/(fanIn + fanOut)), up to its ends (largest / bound)',
      measured: largest / bound,
      ok: largest <= bound && largest > 0.999 * bound,
    },
    {
      claim:
        'Variances of Glorot, He and LeCun are 2/(fanIn + fanOut), 2/fanIn and 1/fanIn (ratios)',
      measured: ratios.map((ratio) => ratio.toFixed(4)).join(', '),
      ok: ratios.every((ratio) => Math.abs(ratio - 1) < 0.02),
    },
    {
      claim: 'Orthogonal: the columns are orthonormal (largest difference of WᵀW from I)',
      measured: Math.max(...skew),
      ok: Math.max(...skew) < 1e-5,
    },
  ]
}

/** What a network with one hidden layer of 16 units makes of the digits from these weights. */
async function trainFrom(scheme: init.Initializer, epochs: number, signal: AbortSignal) {
  const backend = getBackend()
  setBackend('js')
  try {
    return await trainHere(scheme, epochs, signal)
  } finally {
    setBackend(backend)
  }
}

async function trainHere(scheme: init.Initializer, epochs: number, signal: AbortSignal) {
  setSeed(1)
  const { train, test } = split(digits(), 0.2, 1)
  const network = mlp([64, 16, 10], { activation: 'sigmoid', init: scheme })
  await fit(network, train, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(network.parameters(), { lr: 0.5 }),
    epochs,
    seed: 0,
    signal,
  })
  const { accuracy = 0 } = await evaluate(network, test, { loss: softmaxCrossEntropy })
  const rows = (network.parameters()[0].toArray() as number[][]).map((row) =>
    row.map((w) => Math.abs(w - row[0])),
  )
  return { accuracy, spread: Math.max(...rows.flat()) }
}

export const initialization: Experiment = {
  name: 'initialization',
  items: [11],
  title: 'Initialization',
  formula: String.raw`W_{ij} \sim U\Bigl(-\sqrt{\tfrac{6}{n_{in} + n_{out}}}, \sqrt{\tfrac{6}{n_{in} + n_{out}}}\Bigr), \qquad b = 0`,
  text: `Normally distributed inputs go through ${DEPTH} layers of ${WIDTH} units whose weights are drawn
in five ways, and the size of the activations is measured after each layer. Then a network with a
hidden layer is trained on small digits from Glorot’s weights and from zeros, in JavaScript, which
computes all units by the same loop: one of them rounded otherwise would be enough to part them all in
the end.`,

  async run({ signal, progress, quick }: Context): Promise<Outcome> {
    const claims = claimsOfSchemes()
    const sizes = (activation: ActivationName) =>
      Object.fromEntries(
        Object.entries(schemes).map(([name, scheme]) => [name, sizesOf(activation, scheme)]),
      )
    const relu = sizes('relu')
    const tanh = sizes('tanh')
    progress(1, 3)
    const deepest = (values: number[]) => values[DEPTH - 2]
    const kept = (values: number[]) => deepest(values) / values[0]
    claims.push(
      {
        claim: 'He keeps the size of relu activations (last hidden layer / first)',
        measured: kept(relu.He),
        ok: kept(relu.He) > 0.5 && kept(relu.He) < 2,
      },
      {
        claim: 'Glorot lets relu activations fade: half of their variance is lost in each layer',
        measured: kept(relu.Glorot),
        ok: kept(relu.Glorot) < 0.1,
      },
      {
        claim: 'Glorot keeps tanh activations from vanishing (last hidden layer / first)',
        measured: kept(tanh.Glorot),
        ok: kept(tanh.Glorot) > 0.25,
      },
      {
        claim: 'With a standard deviation of 0.01 nothing is left of them in the last hidden layer',
        measured: deepest(tanh['std 0.01']),
        ok: deepest(tanh['std 0.01']) < 1e-6,
      },
      {
        claim: 'Uniform on ±0.2 is too large here: tanh units saturate (root mean square near 1)',
        measured: deepest(tanh['±0.2']),
        ok: deepest(tanh['±0.2']) > 0.6,
      },
    )

    const epochs = quick ? 15 : 50
    const zeros = await trainFrom(init.zeros, epochs, signal)
    progress(2, 3)
    const glorot = await trainFrom(init.glorotUniform, epochs, signal)
    const percent = (accuracy: number) => `${(100 * accuracy).toFixed(1)} %`
    claims.push(
      {
        claim:
          'From zeros, all hidden units are the same after training (largest difference of weights)',
        measured: zeros.spread,
        ok: zeros.spread === 0 && glorot.spread > 0.1,
      },
      {
        claim: 'and 16 of them do the work of one: test accuracy from zeros against Glorot',
        measured: `${percent(zeros.accuracy)} against ${percent(glorot.accuracy)}`,
        ok: zeros.accuracy < 0.5 && glorot.accuracy > 0.9,
      },
    )
    const options = { x: 'hidden layer', y: 'root mean square of h', logY: true }
    return {
      claims,
      figures: [
        {
          name: 'relu',
          caption: 'Size of relu activations, layer by layer.',
          svg: await lines(relu, options),
        },
        {
          name: 'tanh',
          caption: 'Size of tanh activations, layer by layer.',
          svg: await lines(tanh, options),
        },
        {
          name: 'zeros',
          caption:
            'Test accuracy on small digits after training from zeros and from Glorot’s weights.',
          svg: await bars(
            { zeros: 100 * zeros.accuracy, Glorot: 100 * glorot.accuracy },
            { y: 'test accuracy (%)' },
          ),
        },
      ],
    }
  },
}
