// What loops without scopes hold at most: tensors that only the collector frees, in loops that never
// pause, that pause, and that await. Each in a process of its own, whose largest size counts, too.
//   node scripts/bench/loops.mjs [seconds of the last loop, 60 by default]
import { spawnSync } from 'node:child_process'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { capture, memory, mlp, ones, tensor } from '../../lib/index.js'

const MIB = 2 ** 20
const SECONDS = Number(process.argv[2] ?? 60)

/** A loop, and the most that live and pooled memory, and the process, may take. */
const loops = {
  async synchronous(look) {
    const model = mlp([784, 256, 10])
    const x = ones([128, 784])
    for (let i = 0; i < 6000; i++) {
      model.forward(x).data()
      look()
    }
  },
  async turns(look) {
    const x = ones([2 ** 20])
    for (let i = 0; i < 2000; i++) {
      x.add(1)
      await turn()
      look()
    }
  },
  async replays(look) {
    const model = mlp([784, 256, 10])
    const step = capture((x) => model.forward(x))
    const values = new Float32Array(128 * 784).fill(1)
    for (const end = performance.now() + 1000 * SECONDS; performance.now() < end; ) {
      ;(await step.run(tensor(values, [128, 784]))).data()
      look()
    }
  },
}
// Of all three a few MiB are reachable.
const MOST = { held: 300 * MIB, process: 500 * MIB }

async function measure(name) {
  let held = 0
  let rounds = 0
  const begin = performance.now()
  await loops[name](() => {
    const { live, pooled } = memory()
    held = Math.max(held, live + pooled)
    rounds++
  })
  const seconds = (performance.now() - begin) / 1000
  const size = process.resourceUsage().maxRSS * 1024
  const mib = (bytes) => `${(bytes / MIB).toFixed(0)} MiB`
  console.log(
    `${name}: ${rounds} rounds in ${seconds.toFixed(1)} s, held ${mib(held)}, process ${mib(size)}`,
  )
  process.exitCode = held > MOST.held || size > MOST.process ? 1 : 0
}

const name = process.argv[3]
if (name) await measure(name)
else {
  const run = (name) =>
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), String(SECONDS), name], {
      stdio: 'inherit',
    }).status
  process.exitCode = Object.keys(loops).filter((name) => run(name) !== 0).length > 0 ? 1 : 0
}
