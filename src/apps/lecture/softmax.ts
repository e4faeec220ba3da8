/** Item 6: softmax, and the cross-entropy that is computed from logits. */
import { Generator, softmaxCrossEntropy, tensor } from 'neuroblas'
import { lines } from 'neuroblas/plot'
import type { Context, Experiment, Outcome } from './experiment.js'
import { formatList } from './numbers.js'

export const softmax: Experiment = {
  name: 'softmax',
  items: [6],
  title: 'Softmax output',
  formula: String.raw`y_j = \frac{e^{a_j}}{\sum_k e^{a_k}}, \qquad l = -\log y_t = \log \sum_k e^{a_k} - a_t, \qquad \frac{\partial l}{\partial a_j} = y_j - [j = t]`,
  symbols: `y: the output, a probability for each class; a: its pre-activations, the logits; l: the loss; t: the
class that is right; [j = t]: 1 for that class and 0 for the others`,
  text: `Softmax of 10,000 rows of random logits, and of logits of ±10,000. Cross-entropy is computed
from the logits, so a probability that rounds to 0 still has its exact loss and its gradient.`,

  async run({ seed }: Context): Promise<Outcome> {
    // lecture:begin
    const logits = new Generator(1 + seed).uniform([10_000, 10], -40, 40) // lecture:as const logits = new Generator(1).uniform([10_000, 10], -40, 40)
    const p = logits.softmax()
    const extreme = tensor([[1e4, -1e4, 0]])
    extreme.requiresGrad = true
    const loss = softmaxCrossEntropy(extreme, tensor([1], [1], 'int32'))
    loss.backward()
    // lecture:end
    const sums = p
      .sum(-1)
      .data()
      .map((sum) => Math.abs(sum - 1))
    const least = p.min().item()
    const shifted = logits.add(1e4).softmax().sub(logits.add(1e4).sub(1e4).softmax())
    const shift = shifted.abs().max().item()
    const a = Array.from({ length: 161 }, (_, i) => i / 10 - 6)
    const y = tensor(a.map((a1) => [a1, 0, 2]))
      .softmax()
      .toArray() as number[][]
    const ends = extreme.softmax().data()
    const gradient = extreme.grad!.data()
    return {
      claims: [
        {
          claim: 'Every row sums to 1 (largest difference)',
          measured: Math.max(...sums),
          ok: Math.max(...sums) < 1e-6,
        },
        {
          claim: 'Every probability is strictly positive (least, of logits from −40 to 40)',
          measured: least,
          ok: least > 0,
        },
        {
          claim: 'Adding 10,000 to all logits of a row changes nothing (largest difference)',
          measured: shift,
          ok: shift < 1e-6,
        },
        {
          claim: 'Logits of 10,000, −10,000 and 0 give 1, 0 and 0, not NaN',
          measured: formatList(ends),
          ok: String(ends) === '1,0,0',
        },
        {
          claim: 'The loss of the class whose probability rounded to 0 is 20,000',
          measured: loss.item(),
          ok: loss.item() === 20_000,
        },
        {
          claim: 'and its gradient is y − [j = t]: 1, −1, 0',
          measured: formatList(gradient),
          ok: String(gradient) === '1,-1,0',
        },
      ],
      figures: [
        {
          name: 'rising-logit',
          caption: 'Three classes: the first logit rises while the others stay at 0 and 2.',
          svg: await lines(
            Object.fromEntries(
              [0, 1, 2].map((j) => [`y${'₁₂₃'[j]}`, { x: a, y: y.map((row) => row[j]) }]),
            ),
            { x: 'a₁', y: 'probability' },
          ),
        },
      ],
    }
  },
}
