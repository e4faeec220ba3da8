/** Folders of images as the commands read them: options, the parts to train on, what a saved model reads. */

import type { Command } from 'commander'
import {
  type Classifier,
  DataError,
  type Dataset,
  type ImageFormat,
  type Regressor,
} from '../../index.js'
import {
  availableMemory,
  type ImagePart,
  type ImageReading,
  imageSource,
  imagesAt,
  listImages,
  parseNumber,
  quote,
  readParts,
  splitRows,
  withTest,
} from '../../internal.js'
import { TEST_SHARE, validationShare } from './data.js'
import { checkedOption, choiceOption } from './options.js'
import { type Parts, partsInMemory } from './parts.js'

/** What the options say of a folder of images to train on. */
export interface ImageSettings extends Pick<ImageReading, 'unreadable'> {
  /** [height, width] */
  imageSize?: [number, number]
  channels?: 1 | 3
}

const NAMES = ['imageSize', 'channels', 'unreadable', 'augment'] as const
const DEFAULT_SIZE = 64
const MAX_SIDE = 4096

function sizeOf(text: string): [number, number] | undefined {
  const sides = text.split('x').map(parseNumber)
  if (!sides.every((n) => Number.isInteger(n) && n >= 1 && n <= MAX_SIDE)) return undefined
  return sides.length <= 2 ? [sides[0], sides.at(-1) as number] : undefined
}

/** The options of a folder of images that was not said to be one. */
export function imageOptionsIn(given: object): string[] {
  return NAMES.filter((name) => Object.hasOwn(given, name))
}

/** All options of a folder of images to train on. */
export function addImageOptions(command: Command): Command {
  return command
    .addOption(
      checkedOption(
        '--image-size <pixels>',
        `that images are brought to, as in 64 or 48x64, height first (default: ${DEFAULT_SIZE})`,
        `pixels as in 64 or 48x64, each from 1 to ${MAX_SIDE}`,
        sizeOf,
      ),
    )
    .addOption(
      checkedOption(
        '--channels <n>',
        'of images: 3 in colour, 1 in grey (default: 3)',
        '1 or 3',
        (text) => (text === '1' || text === '3' ? Number(text) : undefined),
      ),
    )
    .addOption(
      choiceOption(
        '--unreadable <policy>',
        'what is done about images that do not decode (default: refuse)',
        ['refuse', 'drop'],
      ),
    )
    .addOption(
      choiceOption(
        '--augment <kind>',
        'whether images to train on are turned, stretched, moved and lit at random (default: all)',
        ['all', 'none'],
      ),
    )
}

/** Filters of as many stages as leave 2 or 3 pixels of the smaller side: with fewer, less was learned. */
export function filtersFor({
  imageSize: [height, width] = [DEFAULT_SIZE, DEFAULT_SIZE],
}: ImageSettings): number[] {
  const stages = Math.floor(Math.log2(Math.min(height, width) / 2))
  return Array.from({ length: Math.max(1, stages) }, (_, stage) => Math.min(16 * 2 ** stage, 128))
}

/** Images parted for training, as rows of bytes. */
export interface ImageProblem extends Parts {
  readonly name: string
  readonly classes: readonly string[]
  readonly format: Required<ImageFormat>
  readonly notes: readonly string[]
}

const rowsOf = <T extends { readonly inputShape: readonly number[] }>(data: T): T => ({
  ...data,
  inputShape: [data.inputShape.reduce((a, b) => a * b, 1)],
})

/** The three parts of a folder. */
export async function readImageProblem(
  folder: string,
  { imageSize = [DEFAULT_SIZE, DEFAULT_SIZE], channels = 3, unreadable }: ImageSettings,
  seed: number,
  onProgress: ImageReading['onProgress'],
): Promise<ImageProblem> {
  const listing = await listImages(folder)
  const { name, classes } = listing
  const format = { size: imageSize, channels, resize: 'stretch' } as const
  const { train: rest, test, validation } = withTest(listing, TEST_SHARE, seed)
  const inner = splitRows(rest.files.length, validationShare(name, rest.files.length), seed)
  const parts = validation
    ? [rest, validation, test]
    : [imagesAt(rest, inner.train), imagesAt(rest, inner.test), test]
  const found = { name, classes, format }
  if (isLarge(parts, format)) {
    const notes = [...listing.notes, `${name}: is larger than memory, and read in blocks`]
    const settings = { classes, format, unreadable, seed }
    return { ...found, notes, ...(await partsInBlocks(name, parts, settings)) }
  }
  const { data, notes } = await readParts('train', listing, parts, format, {
    unreadable,
    onProgress,
  })
  const [first, second, third] = data.map(rowsOf)
  return {
    ...{ ...found, notes: [...listing.notes, ...notes] },
    ...partsInMemory(first, second, third),
  }
}

/** Whether the images, and the copy that training makes of them, are more than there is memory for. */
function isLarge(parts: readonly ImagePart[], { size, channels }: Required<ImageFormat>): boolean {
  const images = parts.reduce((sum, { files }) => sum + files.length, 0)
  return 2 * images * size[0] * size[1] * channels > availableMemory().available
}

async function partsInBlocks(
  name: string,
  parts: readonly ImagePart[],
  settings: Parameters<typeof imageSource>[3],
): Promise<Parts> {
  const [train, validation, test] = await Promise.all(
    ['train', 'validation', 'test'].map(async (part, i) =>
      rowsOf(await imageSource('train', `${name} (${part})`, parts[i], settings)),
    ),
  )
  const classCounts = settings.classes.map(
    (_, label) => parts[0].labels.filter((of) => of === label).length,
  )
  const [trained, validated, tested] = parts.map(({ files }) => files.length)
  const sizes = { train: trained, validation: validated, test: tested }
  return { train, validation, test, sizes, classCounts }
}

/** The images of a folder that a model has not been trained on, with the model's labels. */
export async function unseenImages(
  saved: Classifier | Regressor,
  folder: string,
): Promise<{ data: Dataset; notes: string[] }> {
  if (!('classes' in saved) || saved.images === undefined) {
    throw new DataError(
      `${folder}: expected other data, for the model was not trained on a folder of images`,
    )
  }
  const { images, classes, dataset, seed = 0 } = saved
  const listing = await listImages(folder)
  const unknown = listing.classes.find((name) => !classes.includes(name))
  if (unknown !== undefined) {
    throw new DataError(
      `${folder}: expected the model's classes, ${classes.join(', ')}, got ${quote(unknown)}, too`,
    )
  }
  const isTrainingSet = dataset === listing.name
  const unseen = isTrainingSet
    ? withTest(listing, TEST_SHARE, seed).test
    : (listing.test ?? listing.train)
  const labels = unseen.labels.map((label) => classes.indexOf(listing.classes[label]))
  const known = { name: listing.name, classes }
  const { data, notes } = await readParts('eval', known, [{ ...unseen, labels }], images, {
    unreadable: 'drop',
  })
  return { data: rowsOf(data[0]), notes: [...listing.notes, ...notes] }
}
