/** `neuroblas train`, `eval` and `predict` on folders of images. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { readImageProblem } from '../../lib/apps/cli/images.js'
import { lookForSystemFilesIn } from '../../lib/base/availableMemory.js'
import { type BlockSource, type Dataset, loadClassifier } from '../../lib/index.js'
import { runCommand } from '../support/cli.js'
import { smallContainer, writeSystemFiles } from '../support/systemFiles.js'

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

t.test('a folder that memory does not hold is read in blocks', async (t) => {
  const folder = join(cwd, 'stripes')
  const read = (settings: object) => readImageProblem(folder, settings, 0, undefined)
  const whole = await read({ imageSize: [40, 40] })
  const { '/proc/meminfo': _, ...container } = smallContainer
  // 300 kB are left; each image takes 4800 bytes, twice.
  const left = { '/proc/meminfo': 'MemTotal: 24105000 kB\nMemAvailable: 300 kB\n' }
  lookForSystemFilesIn(writeSystemFiles(t.testdir(), { ...container, ...left }))
  t.teardown(() => lookForSystemFilesIn(''))
  const found = await read({ imageSize: [40, 40] })
  t.match(found.notes.join(), /stripes: is larger than memory, and read in blocks/)
  t.strictSame(found.sizes, whole.sizes)
  t.strictSame(found.classCounts, whole.classCounts)
  for (const part of ['train', 'validation', 'test'] as const) {
    const source = found[part] as BlockSource<'labels'>
    t.strictSame(source.inputShape, whole[part].inputShape)
    const images: string[] = []
    for await (const { inputs, targets } of source.blocks()) {
      const width = inputs.length / targets.length
      targets.forEach((label, i) => {
        images.push(`${label} ${inputs.slice(i * width, (i + 1) * width)}`)
      })
    }
    const { inputs, targets } = whole[part] as Dataset<'labels'>
    const wanted = Array.from(
      targets,
      (label, i) => `${label} ${inputs.slice(i * 4800, (i + 1) * 4800)}`,
    )
    t.strictSame(images.sort(), wanted.sort(), `the same images in ${part}, in another order`)
  }
})
