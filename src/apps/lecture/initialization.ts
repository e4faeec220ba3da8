/** Item 11: how weights start, and what becomes of the activations then. */
import {
  type ActivationName,
  digits,
  evaluate,
  fit,
  Generator,
  init,
  Linear,
  mlp,
  noGrad,
  SGD,
  scope,
  setSeed,
  softmaxCrossEntropy,
  split,
  type Tensor,
} from 'neuroblas'
import { lines } from 'neuroblas/plot'
import { currentBackend, loadAddon } from '../../internal.js'
import type { Claim, Context, Experiment, Outcome } from './experiment.js'
import { format, formatList, percents } from './numbers.js'

const schemes = {
  'std 0.01': init.normal(0, 0.01),
  '±0.2': init.uniform(-0.2, 0.2),
  Glorot: init.glorotUniform,
  He: init.heNormal,
  orthogonal: init.orthogonal(),
}

// lecture:begin
const DEPTH = 12
const WIDTH = 256

/** Root mean square of the activations after each layer, of normally distributed inputs. */
function sizesOf(activation: ActivationName, scheme: init.Initializer, seed = 1): number[] {
  setSeed(seed)
  const units = new Array<number>(DEPTH + 1).fill(WIDTH)
  const network = mlp(units, { activation, init: scheme })
  const x = new Generator(seed).normal([500, WIDTH])
  const sizes: number[] = []
  noGrad(() =>
    network.layers.reduce((h, layer) => {
      const next = layer.forward(h)
      if (!(layer instanceof Linear)) sizes.push(Math.sqrt(next.square().mean().item()))
      return next
    }, x),
  )
  network.dispose()
  return sizes
}
// lecture:as const sizes = sizesOf('relu', init.heNormal)
// lecture:end

/** The bounds and the spread that each scheme promises, measured on one large matrix. */
function claimsOfSchemes(seed: number): Claim[] {
  const [fanIn, fanOut] = [400, 200]
  const draw = (scheme: init.Initializer) => scheme([fanIn, fanOut], new Generator(1 + seed))
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
      measured: formatList(ratios),
      ok: ratios.every((ratio) => Math.abs(ratio - 1) < 0.02),
    },
    {
      claim: 'Orthogonal: the columns are orthonormal (largest difference of WᵀW from I)',
      measured: Math.max(...skew),
      ok: Math.max(...skew) < 1e-5,
    },
  ]
}

/** How far the hidden units are apart after each epoch, and the test accuracies, from these weights. */
async function trainFrom(
  scheme: init.Initializer,
  epochs: number,
  seed: number,
  signal: AbortSignal,
) {
  setSeed(seed)
  const { train, test } = split(digits(), 0.2, seed)
  const network = mlp([64, 16, 10], { activation: 'sigmoid', init: scheme })
  const [weights] = network.parameters()
  const spreads: number[] = []
  const accuracies: number[] = []
  await fit(network, train, {
    loss: softmaxCrossEntropy,
    optimizer: new SGD(network.parameters(), { lr: 0.5 }),
    epochs,
    seed: 0,
    signal,
    async onEpoch() {
      const { accuracy = 0 } = await evaluate(network, test, { loss: softmaxCrossEntropy })
      accuracies.push(accuracy)
      spreads.push(spreadOf(weights))
    },
  })
  network.dispose()
  return { spreads, accuracies }
}

/** The largest difference between two units' weights from one input, relative to the largest weight. */
function spreadOf(weights: Tensor): number {
  return scope(() => {
    const largest = weights.abs().max().item()
    return weights.max(1).sub(weights.min(1)).max().item() / largest
  })
}

/** Of units that are the same: OpenBLAS, where it computes products, may round some otherwise. */
function largestSpread(): number {
  const isOneOrder = currentBackend().name === 'js' || loadAddon().info().gemm === 'own'
  return isOneOrder ? 0 : 1e-3
}

export const initialization: Experiment = {
  name: 'initialization',
  items: [11],
  title: 'Initialization',
  formula: String.raw`W_{ij} \sim U\Bigl(-\sqrt{\tfrac{6}{n_{in} + n_{out}}}, \sqrt{\tfrac{6}{n_{in} + n_{out}}}\Bigr), \qquad b = 0`,
  symbols: `n_in, n_out: how many inputs and outputs a layer has, fanIn and fanOut in the code; U: the uniform
distribution`,
  text: `Normally distributed inputs go through ${DEPTH} layers of ${WIDTH} units whose weights are drawn
in five ways, and the size of the activations is measured after each layer. Then a network with a
hidden layer is trained on small digits from Glorot’s weights, from zeros and from weights that are
nearly zero. From zeros all hidden units have the same gradient and stay the same, to the bit, because
products are added in one order here. This equilibrium is unstable: a difference as small as a rounding
error grows from epoch to epoch, until the units part.`,

  async run({ quick, seed, signal, progress }: Context): Promise<Outcome> {
    const claims = claimsOfSchemes(seed)
    const sizes = (activation: ActivationName) =>
      Object.fromEntries(
        Object.entries(schemes).map(([name, scheme]) => [
          name,
          sizesOf(activation, scheme, 1 + seed),
        ]),
      )
    const relu = sizes('relu')
    const tanh = sizes('tanh')
    progress(1, 4)
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

    const epochs = quick ? 20 : 50
    const starts: Record<string, init.Initializer> = {
      zeros: init.zeros,
      'std 10⁻⁷': init.normal(0, 1e-7),
      Glorot: init.glorotUniform,
    }
    const trained: Record<string, Awaited<ReturnType<typeof trainFrom>>> = {}
    for (const [i, [name, scheme]] of Object.entries(starts).entries()) {
      trained[name] = await trainFrom(scheme, epochs, 1 + seed, signal)
      progress(i + 2, 4, name)
    }
    const { zeros, Glorot: glorot, 'std 10⁻⁷': nudged } = trained
    const early = 4
    claims.push(
      {
        claim:
          'From zeros the units stay the same: largest difference after five epochs, relative to the largest weight (from zeros, from Glorot’s weights)',
        measured: formatList([zeros.spreads[early], glorot.spreads[early]], 2),
        ok: zeros.spreads[early] <= largestSpread() && glorot.spreads[early] > 0.1,
      },
      {
        claim: `The equilibrium is unstable: from weights of 10⁻⁷ the difference grows (after 5 epochs, after ${epochs})`,
        measured: formatList([nudged.spreads[early], nudged.spreads[epochs - 1]], 2),
        ok: nudged.spreads[epochs - 1] > 100 * nudged.spreads[early],
      },
      {
        claim:
          'While they are the same, 16 units do the work of one: test accuracy after five epochs from zeros against Glorot',
        measured: percents([zeros.accuracies[early], glorot.accuracies[early]]),
        ok: zeros.accuracies[early] < 0.5 && glorot.accuracies[early] > 0.7,
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
          name: 'spread',
          caption: `How far the hidden units are apart, relative to the largest weight, by epoch; no difference
at all is drawn as ${format(INVISIBLE)}. From zeros nothing but rounding parts the units, sooner or later or not
at all, as products are rounded on the machine at hand.`,
          svg: await lines(
            Object.fromEntries(
              Object.entries(trained).map(([name, { spreads }]) => [
                name,
                spreads.map((spread) => Math.max(spread, INVISIBLE)),
              ]),
            ),
            { x: 'epoch', y: 'relative difference', logY: true },
          ),
        },
        {
          name: 'zeros',
          caption: 'Test accuracy on small digits by epoch.',
          svg: await lines(
            Object.fromEntries(
              Object.entries(trained).map(([name, { accuracies }]) => [
                name,
                accuracies.map((accuracy) => 100 * accuracy),
              ]),
            ),
            { x: 'epoch', y: 'test accuracy (%)' },
          ),
        },
      ],
    }
  },
}

/** Below what float32 can tell apart. */
const INVISIBLE = 1e-9
