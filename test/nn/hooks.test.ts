/** Hooks: called wherever `forward` is, taken away again, and what captured functions make of them. */
import t from 'tap'
import {
  ArgumentError,
  CaptureError,
  capture,
  dataset,
  fit,
  type HookHandle,
  Linear,
  Module,
  mlp,
  mse,
  noGrad,
  ReLU,
  Sequential,
  SGD,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

class Net extends Module {
  readonly inner = new Linear(1, 1, { init: () => tensor([[2]]) })
  forward(x: Tensor): Tensor {
    return this.inner.forward(x).add(1)
  }
}
const x = () => tensor([[3]])

onBothBackends('hooks see and change inputs and outputs, in their order', (t) => {
  const net = new Net()
  const seen: unknown[] = []
  const before = net.inner.registerForwardPreHook((module, [x]) => {
    seen.push(['before', module === net.inner, x.item()])
    return [x.mul(10)]
  })
  const after = net.inner.registerForwardHook((module, [x], y) => {
    seen.push(['after', module === net.inner, x.item(), y.item()])
  })
  const again = net.inner.registerForwardHook((_, __, y) => y.neg())
  t.equal(net.forward(x()).item(), -59)
  t.strictSame(seen, [
    ['before', true, 3],
    ['after', true, 30, 60],
  ])
  t.strictSame([...net.namedParameters().keys()], ['inner.weight', 'inner.bias'])
  before.remove()
  after.remove()
  after.remove()
  t.equal(net.forward(x()).item(), -5)
  again[Symbol.dispose]()
  t.equal(net.forward(x()).item(), 7)
  t.equal(net.inner.forward, Linear.prototype.forward, 'as if there had been none')
})

t.test('a forward of its own comes back, and a hook may remove itself', async (t) => {
  const layer = new Linear(1, 1, { init: () => tensor([[2]]) })
  const own = (x: Tensor) => x.mul(5)
  layer.forward = own
  const handle: HookHandle = layer.registerForwardHook(() => handle.remove())
  t.equal(layer.forward(x()).item(), 15)
  t.equal(layer.forward, own)
  const model = new Sequential(layer, new ReLU())
  const shapes: unknown[] = []
  const hook = (_: unknown, __: unknown, y: Tensor) => void shapes.push(y.shape)
  const handles = [model, ...model.layers].map((part) => part.registerForwardHook(hook))
  model.forward(x())
  t.equal(shapes.length, 3)
  for (const handle of handles) handle.remove()
})

t.test('a hook that registers another does not call it in the same pass', async (t) => {
  const layer = new Linear(1, 1, { init: () => tensor([[2]]) })
  const calls: string[] = []
  const once = (name: string, register: (hook: () => void) => HookHandle) => {
    let handle = register(again)
    function again() {
      calls.push(name)
      handle.remove()
      handle = register(again)
    }
  }
  once('before', (hook) => layer.registerForwardPreHook(hook))
  once('after', (hook) => layer.registerForwardHook(hook))
  for (let i = 0; i < 2; i++) layer.forward(x())
  t.strictSame(calls, ['before', 'after', 'before', 'after'])
})

onBothBackends('captured functions follow hooks', (t) => {
  const net = new Net().eval()
  const run = capture((x: Tensor) => noGrad(() => net.forward(x)))
  t.equal(run(x()).item(), 7)
  let calls = 0
  const handle = net.inner.registerForwardHook((_, __, y) => {
    calls++
    return y.mul(2)
  })
  t.strictSame(
    [1, 2, 3].map(() => run(x()).item()),
    [13, 13, 13],
  )
  t.equal(calls, 1, 'it is called when the function is recorded')
  handle.remove()
  t.equal(run(x()).item(), 7)
  const reading = net.inner.registerForwardHook((_, __, y) => void y.item())
  refuses(t, () => run(x()), CaptureError, /values cannot be read inside a captured function/)
  reading.remove()
  t.equal(run(x()).item(), 7)
  const inside = capture((x: Tensor) => {
    net.registerForwardHook(() => {})
    return net.forward(x)
  })
  refuses(
    t,
    () => inside(x()),
    CaptureError,
    /registerForwardHook\(\) inside would not be repeated/,
  )
  run.dispose()
})

t.test('fit trains with what hooks compute', async (t) => {
  const train = async (hooked: boolean) => {
    const model = mlp([2, 3, 1], {
      init: (shape) => tensor(Array(shape[0] * shape[1]).fill(0.5), shape) as Tensor,
    })
    if (hooked) model.layers[0].registerForwardHook((_, __, y) => y.mul(0))
    const data = dataset({
      inputs: Float32Array.of(1, 2, 3, 4),
      inputShape: [2],
      targets: Float32Array.of(1, 2),
      task: 'regress',
    })
    const optimizer = new SGD(model.parameters(), { lr: 0.01 })
    await fit(model, data, { loss: mse, optimizer, epochs: 2, batchSize: 2 })
    return [...model.parameters()[0].data()]
  }
  t.strictSame(await train(true), Array(6).fill(0.5), 'nothing reaches the first layer')
  t.notSame(await train(false), Array(6).fill(0.5))
})

t.test('what is no hook is refused', async (t) => {
  const net = new Net()
  refuses(
    t,
    () => net.registerForwardHook(wrong(1)),
    ArgumentError,
    /^registerForwardHook: expected a function/,
  )
  refuses(
    t,
    () => net.registerForwardPreHook(wrong(null)),
    ArgumentError,
    /^registerForwardPreHook: expected/,
  )
  net.registerForwardPreHook((_, [x]) => wrong(x))
  refuses(
    t,
    () => net.forward(x()),
    ArgumentError,
    /expected a hook that returns an array of the inputs/,
  )
})
