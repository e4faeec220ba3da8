/** `neuroblas train`, `eval` and `predict` on folders of images. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { loadClassifier } from '../../lib/index.js'
import { runCommand } from '../support/cli.js'

/** Stripes down or across, in any two colours. */
const stripes = (isAcross: boolean, i: number) => {
  const [width, height] = [20 + (i % 5), 18 + (i % 7)]
  const data = new Uint8Array(width * height * 3)
  for (let p = 0; p < width * height; p++) {
    const at = isAcross ? Math.floor(p / width) : p % width
    const isDark = Math.floor((at + i) / 3) % 2 === 0
    data.set(isDark ? [i * 3, 20, 90 - i] : [250 - i, 200, 140 + i], 3 * p)
  }
  return sharp(data, { raw: { width, height, channels: 3 } })
}

const cwd = t.testdir({})
for (const name of ['across', 'down']) {
  mkdirSync(join(cwd, 'stripes', name), { recursive: true })
  for (let i = 0; i < 30; i++) {
    const picture = await stripes(name === 'across', i)
      .png()
      .toBuffer()
    writeFileSync(join(cwd, 'stripes', name, `${i}.png`), picture)
  }
}
const run = (...args: string[]) => runCommand(args, { cwd })
const sized = ['train', 'stripes', '--image-size', '16x14', '--filters', '4', '--network', 'conv']

t.test('a folder: trained, tested and asked', async (t) => {
  const trained = await run(...sized, '--layers', '8', '--dropout', '0', '--batch-size', '8')
  t.equal(trained.code, 0, trained.stderr)
  t.match(
    trained.stdout,
    /data +stripes: 48 images \(43 to train on, 5 held out for validation\), 12 to test on/,
  )
  t.match(trained.stdout, /network +672, convolutions 4, 8-2/)
  t.match(trained.stdout, /test accuracy 100\.00 %/)
  const file = join(cwd, 'stripes.safetensors')
  t.strictSame(loadClassifier(file).images, { size: [16, 14], channels: 3, resize: 'stretch' })

  const tested = JSON.parse((await run('eval', file, 'stripes', '--json')).stdout)
  t.match(tested, { examples: 12, accuracy: 1, classes: ['across', 'down'] })
  t.match((await run('eval', file, 'stripes')).stdout, /on 12 images of stripes/)

  const paths = ['stripes/down/3.png', 'stripes/across/4.png']
  const asked = await run('predict', file, ...paths)
  t.match(
    asked.stdout,
    /^image +class +probability\nstripes\/down\/3\.png +down +\S+\nstripes\/across\/4\.png +across/,
  )
  const [line] = (await run('predict', file, ...paths, '--json')).stdout.split('\n')
  t.match(JSON.parse(line), { image: paths[0], class: 'down', label: 1 })

  writeFileSync(join(cwd, 'broken.jpg'), 'no picture')
  const wrong: [string[], number, RegExp][] = [
    [['predict', file, 'broken.jpg'], 1, /broken\.jpg: expected an intact image/],
    [['predict', file, 'none.jpg'], 1, /none\.jpg: expected a readable file/],
    [['eval', file, 'iris'], 1, /iris: expected 672 features/],
    [['train', 'stripes', '--target', 'x'], 2, /--target: expected with a table alone/],
    [
      ['train', 'iris', '--image-size', '8'],
      2,
      /--image-size: expected with a folder of images alone/,
    ],
    [
      ['train', 'stripes', '--image-size', '8x'],
      2,
      /--image-size: expected pixels as in 64 or 48x64/,
    ],
    [['train', 'stripes', '--channels', '2'], 2, /--channels: expected 1 or 3/],
  ]
  for (const [args, code, message] of wrong) {
    const { stderr, ...ended } = await run(...args)
    t.match(stderr, message)
    t.equal(ended.code, code)
  }
})

t.test('grey, by dense layers, without what does not decode', async (t) => {
  const broken = join(cwd, 'stripes', 'down', 'broken.png')
  writeFileSync(broken, 'no picture')
  t.teardown(() => rmSync(broken))
  const args = [
    'train',
    'stripes',
    '--network',
    'dense',
    '--image-size',
    '8',
    '--channels',
    '1',
    '--epochs',
    '1',
    '--save',
    'grey.safetensors',
  ]
  const refused = await run(...args)
  t.equal(refused.code, 1)
  t.match(refused.stderr, /broken\.png: expected an intact image/)
  const { code, stdout, stderr } = await run(...args, '--unreadable', 'drop')
  t.equal(code, 0)
  t.match(stderr, /stripes: left out 1 images that do not decode: .*broken\.png/)
  t.match(stdout, /network +64-256-2/)
  t.strictSame(loadClassifier(join(cwd, 'grey.safetensors')).images, {
    size: [8, 8],
    channels: 1,
    resize: 'stretch',
  })
})
