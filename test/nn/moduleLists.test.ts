/** Children, apply, and lists and dictionaries of modules. */
import t from 'tap'
import {
  ArgumentError,
  capture,
  Linear,
  Module,
  ModuleDict,
  ModuleList,
  noGrad,
  ReLU,
  Sequential,
  type Tensor,
  tensor,
} from '../../lib/index.js'
import { onBothBackends, refuses, wrong } from '../support/reference.js'

class Net extends Module {
  readonly blocks = new ModuleList([new Linear(2, 2), new Linear(2, 2)])
  readonly heads = new ModuleDict({ left: new Linear(2, 1), right: new Sequential(new ReLU()) })
  readonly rest = { list: [new ReLU()] }
  readonly again = this.rest.list[0]
  forward(x: Tensor): Tensor {
    for (const block of this.blocks) x = block.forward(x)
    return this.heads.get('left').forward(x)
  }
}

t.test('paths are those of arrays and objects', async (t) => {
  const net = new Net()
  t.strictSame(
    [...net.namedParameters().keys()],
    ['blocks.0', 'blocks.1', 'heads.left'].flatMap((path) => [`${path}.weight`, `${path}.bias`]),
  )
  t.strictSame([...net.namedChildren().keys()], ['blocks', 'heads', 'rest.list.0'])
  t.strictSame(net.children(), [net.blocks, net.heads, net.again])
  t.strictSame([...net.blocks.namedChildren().keys()], ['0', '1'])
  t.strictSame([...net.heads.namedChildren().keys()], ['left', 'right'])
  t.strictSame([...new Sequential(new ReLU()).namedChildren().keys()], ['layers.0'])
  net.eval()
  t.equal(net.heads.get('left').training, false)
})

t.test('apply comes to each module once, those inside first', async (t) => {
  const net = new Net()
  const names = new Map([...net.namedModules()].map(([path, module]) => [module, path]))
  const seen: unknown[] = []
  t.equal(
    net.apply((module) => seen.push(names.get(module))),
    net,
  )
  t.strictSame(seen, [
    'blocks.0',
    'blocks.1',
    'blocks',
    'heads.left',
    'heads.right.layers.0',
    'heads.right',
    'heads',
    'rest.list.0',
    '',
  ])
  refuses(t, () => net.apply(wrong(1)), ArgumentError, /^apply: expected a function of a module/)
})

onBothBackends('captured functions notice another list', (t) => {
  const list = new ModuleList<Module>([new ReLU()])
  const dict = new ModuleDict<Module>({ a: new ReLU() })
  const scale = (k: number) => new Linear(1, 1, { bias: false, init: () => tensor([[k]]) })
  const run = capture((x: Tensor) =>
    noGrad(() => dict.get('a').forward([...list].reduce((h, module) => module.forward(h), x))),
  )
  const y = () => run(tensor([[3]])).item()
  t.equal(y(), 3)
  t.equal(list.append(scale(2)), list)
  t.equal(y(), 6)
  dict.set('a', scale(10))
  t.equal(y(), 60)
  run.dispose()
})

t.test('as lists and maps are asked', async (t) => {
  const [a, b] = [new ReLU(), new Linear(1, 1)]
  const list = new ModuleList([a, b])
  t.strictSame([list.length, list.at(0), list.at(-1), list.at(2)], [2, a, b, undefined])
  t.equal(new ModuleList().length, 0)
  const dict = new ModuleDict(new Map<string, Module>([['a', a]])).set('b', b)
  t.strictSame([dict.size, dict.has('a'), dict.has('c')], [2, true, false])
  t.strictSame([[...dict.keys()], [...dict.values()], [...dict.entries()]], [['a', 'b'], [a, b], [['a', a], ['b', b]]]) // biome-ignore format: three
  refuses(t, () => dict.get('c'), ArgumentError, 'ModuleDict: expected a name of a, b, got c')
  for (const name of ['', 'a.b', wrong(3)]) {
    refuses(
      t,
      () => dict.set(name, a),
      ArgumentError,
      /^ModuleDict: expected names that are not empty/,
    )
  }
  refuses(t, () => dict.set('c', wrong(1)), ArgumentError, /^ModuleDict: expected a module/)
  refuses(
    t,
    () => new ModuleDict(wrong(1)),
    ArgumentError,
    /^ModuleDict: expected modules by name, got 1/,
  )
  refuses(
    t,
    () => new ModuleDict(wrong([3])),
    ArgumentError,
    /^ModuleDict: expected modules by name, got \[3\]/,
  )
  refuses(
    t,
    () => new ModuleDict({ a: wrong({}) }),
    ArgumentError,
    /^ModuleDict: expected a module/,
  )
  refuses(t, () => new ModuleList(wrong([1])), ArgumentError, /^ModuleList: expected a module/)
  refuses(
    t,
    () => new ModuleList(wrong(a)),
    ArgumentError,
    /^ModuleList: expected an array of modules/,
  )
  refuses(t, () => list.append(wrong(undefined)), ArgumentError, /^ModuleList: expected a module/)
  refuses(t, () => list.forward(), ArgumentError, /^ModuleList: expected its modules to be called/)
  refuses(t, () => dict.forward(), ArgumentError, /^ModuleDict: expected its modules to be called/)
})
