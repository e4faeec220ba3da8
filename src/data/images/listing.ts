/** Which pictures a folder has, of which classes and parts. Nothing is decoded here. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { DataError } from '../../base/errors.js'
import { count, quote } from '../../base/text.js'

/** Pictures with their classes, in order. */
export interface ImagePart {
  readonly files: readonly string[]
  readonly labels: Int32Array
}

/** What is in a folder. */
export interface ImageListing {
  readonly folder: string
  /** The name of the folder. */
  readonly name: string
  /** The names of the folders of the classes, in order. */
  readonly classes: readonly string[]
  /** All pictures where the folder has no parts. */
  readonly train: ImagePart
  readonly validation?: ImagePart
  readonly test?: ImagePart
  /** What was left out. */
  readonly notes: readonly string[]
}

const PICTURE = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif)$/i
const IDX = /idx\d-(ubyte|byte|short|int|float|double)(\.gz)?$/
const TRAIN = 'train'
/** The folders of the other parts, by the names that are usual. */
const TESTS = ['test', 'val', 'valid', 'validation']

/** What is in a folder but for what is hidden: names of folders and of files, each in order. */
async function entriesOf(folder: string): Promise<{ folders: string[]; files: string[] }> {
  const found = { folders: [] as string[], files: [] as string[] }
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(unreadable(folder))) {
    if (entry.name.startsWith('.')) continue
    // A link that leads nowhere is taken for a file, which cannot be read.
    const kind = entry.isSymbolicLink()
      ? await stat(join(folder, entry.name)).catch(() => undefined)
      : entry
    found[kind?.isDirectory() ? 'folders' : 'files'].push(entry.name)
  }
  // By their codes, so that the order is the same everywhere.
  return { folders: found.folders.sort(), files: found.files.sort() }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'nothing of that name',
  ENOTDIR: 'a file',
  EACCES: 'no right to open it',
}

function unreadable(folder: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const got = REASONS[error.code ?? ''] ?? error.message
    throw new DataError(`${folder}: expected a folder of images, got ${got}`, { cause: error })
  }
}

/** Whether it is a folder with pictures, or with folders, and not one of IDX files. */
export async function isImageFolder(path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return false
  const { folders, files } = await entriesOf(path)
  if (files.some((file) => IDX.test(file))) return false
  return folders.length > 0 || files.some((file) => PICTURE.test(file))
}

/**
 * The pictures below a folder, at any depth and through links; a folder that several links lead to counts once.
 * @param others gets the paths of the other files
 */
async function picturesBelow(
  folder: string,
  others: string[],
  seen = new Set<string>(),
): Promise<string[]> {
  const real = await realpath(folder).catch(unreadable(folder))
  if (seen.has(real)) return []
  seen.add(real)
  const { folders, files } = await entriesOf(folder)
  const pictures: string[] = []
  for (const file of files) (PICTURE.test(file) ? pictures : others).push(join(folder, file))
  for (const inner of folders) {
    pictures.push(...(await picturesBelow(join(folder, inner), others, seen)))
  }
  return pictures
}

/** The pictures of one part, class by class. */
async function partOf(
  folder: string,
  classes: readonly string[],
  others: string[],
): Promise<ImagePart> {
  const { folders } = await entriesOf(folder)
  const unknown = folders.find((name) => !classes.includes(name))
  if (unknown !== undefined) {
    throw new DataError(
      `${folder}: expected the classes of ${TRAIN}, ${classes.join(', ')}, got ${quote(unknown)}, too`,
    )
  }
  const files: string[] = []
  const labels: number[] = []
  for (const name of folders) {
    const pictures = await picturesBelow(join(folder, name), others)
    files.push(...pictures)
    for (const _ of pictures) labels.push(classes.indexOf(name))
  }
  if (files.length === 0) throw new DataError(`${folder}: expected images, got none`)
  return { files, labels: Int32Array.from(labels) }
}

/** The classes that a folder has folders for. @throws DataError where there are fewer than two */
async function classesIn(folder: string): Promise<string[]> {
  const { folders, files } = await entriesOf(folder)
  if (folders.length >= 2) return folders
  const pictures = files.filter((file) => PICTURE.test(file)).length
  const got = folders.length === 1 ? `${quote(folders[0])} alone` : 'none'
  const besides = pictures > 0 ? ` beside ${count(pictures)} images` : ''
  throw new DataError(
    `${folder}: expected a folder for each class, two or more, got ${got}${besides}`,
  )
}

function checkClasses(folder: string, classes: readonly string[], { labels }: ImagePart): void {
  const found = new Set(labels)
  const empty = classes.filter((_, label) => !found.has(label))
  if (empty.length === 0) return
  const names = empty.map((name) => quote(name)).join(', ')
  throw new DataError(`${folder}: expected images of each class, got none in ${names}`)
}

/**
 * The pictures of a folder with a folder for each class, or with the folders train and test (or val, valid,
 * validation) that have these.
 * @throws DataError when there are fewer than two classes, or one is empty
 */
export async function listImages(folder: string): Promise<ImageListing> {
  const { folders } = await entriesOf(folder)
  const [test, validation] = TESTS.filter((name) => folders.includes(name))
  const hasParts = folders.includes(TRAIN) && test !== undefined
  const trainFolder = hasParts ? join(folder, TRAIN) : folder
  const classes = await classesIn(trainFolder)
  const others: string[] = []
  const part = (name: string | undefined) =>
    hasParts && name !== undefined ? partOf(join(folder, name), classes, others) : undefined
  const train = await partOf(trainFolder, classes, others)
  checkClasses(trainFolder, classes, train)
  const parts = { train, test: await part(test), validation: await part(validation) }
  const name = basename(resolve(folder))
  const notes =
    others.length > 0
      ? [`${name}: left out ${count(others.length)} files that are no images, such as ${others[0]}`]
      : []
  return { folder, name, classes, ...parts, notes }
}
