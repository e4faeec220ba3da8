/** Grids of small images: examples, and the weights of units that look at images. */

import { checkCount, optionsOf } from '../base/arguments.js'
import { ArgumentError, excerpt, ShapeError } from '../base/errors.js'
import { type AnyTensor, isTensor, type Tensor } from '../tensor/tensor.js'
import { checkedOptions, extentOf, type Numbers, rowsOf } from './checks.js'
import { type ChartOptions, describe, drawSized, type Spec, WIDTH } from './draw.js'
import { pngUrl, type Shade } from './png.js'
import { PALETTE, type Rgb, rgb, TEXT } from './theme.js'

/** Settings of `images` and `weightImages`. */
export interface ImageOptions extends Omit<ChartOptions, 'x' | 'y' | 'height' | 'logX' | 'logY'> {
  /** [rows, columns] of each image; by default those that a tensor's shape ends in, else square. */
  imageShape?: readonly [number, number]
  /** A line below each image. */
  captions?: readonly string[]
  /** Images side by side; by default as many as make the grid a little wider than high. */
  columns?: number
}

const OPTIONS: Record<keyof ImageOptions, true> = {
  title: true,
  subtitle: true,
  width: true,
  imageShape: true,
  captions: true,
  columns: true,
}

const CAPTION = 18
const GAP = 4
const LARGEST = 96

/**
 * Grey images in a grid, dark on white where values are large.
 * @param pixels the values of each image, row by row, or a tensor of images; the range of all of them
 *   is white to black
 * @throws ArgumentError when there is no image, or a number is not finite; ShapeError when images
 *   differ in size
 * @example
 * await images(wrong.map((row) => test.inputs.subarray(row * 784, (row + 1) * 784)), { captions })
 */
export async function images(
  pixels: readonly Numbers[] | AnyTensor,
  given: ImageOptions = {},
): Promise<string> {
  const options = optionsOf('plot.images', given, OPTIONS)
  const rows = rowsOf('images', 'image', pixels)
  const shape = check('images', rows, options, shapeOf(pixels))
  const { low, high } = extentOf(rows)
  const shades = rows.map((image): Shade => {
    return (row, column) => {
      const ink = (image[row * shape[1] + column] - low) / (high - low || 1)
      const grey = 255 - 255 * ink
      return [grey, grey, grey, 255]
    }
  })
  return drawGrid(shades.length === 1 ? 'image' : `${shades.length} images`, shades, shape, options)
}

/** A few outliers would make all others pale. */
const NEARLY_ALL = 0.995
const NEGATIVE = rgb(PALETTE[0])
const POSITIVE = rgb(PALETTE[1])

/**
 * What each unit of a layer looks for: its weights as an image, blue where they are negative and
 * orange where positive, all of them on one scale. The largest half percent share its last colour.
 * @param weight [pixels, units], as in `Linear`
 * @throws ShapeError when it is no matrix, or its rows do not make an image
 * @example
 * await weightImages(model.layers[0].weight.slice(undefined, [0, 64]), { imageShape: [28, 28] })
 */
export async function weightImages(weight: Tensor, given: ImageOptions = {}): Promise<string> {
  const options = optionsOf('plot.weightImages', given, OPTIONS)
  if (!isTensor(weight)) {
    throw new ArgumentError(`plot.weightImages: expected a tensor, got ${excerpt(weight)}`)
  }
  const [fanIn, units] = weight.shape
  if (weight.shape.length !== 2) {
    throw new ShapeError(`plot.weightImages: expected a matrix, got [${weight.shape.join(', ')}]`)
  }
  const values = weight.data()
  const columns = rowsOf(
    'weightImages',
    'image',
    Array.from({ length: units }, (_, unit) =>
      Float32Array.from({ length: fanIn }, (_, i) => values[i * units + unit]),
    ),
  )
  const shape = check('weightImages', columns, options)
  const sizes = values.map(Math.abs).sort()
  const largest = sizes[Math.floor(NEARLY_ALL * (sizes.length - 1))] || 1
  const shades = columns.map((image): Shade => {
    return (row, column) => {
      const value = image[row * shape[1] + column] / largest
      const [red, green, blue]: Rgb = value < 0 ? NEGATIVE : POSITIVE
      return [red, green, blue, 255 * Math.min(1, Math.abs(value))]
    }
  })
  const description = `the weights of ${units} units as images`
  return drawGrid(description, shades, shape, options, scaleOf(largest))
}

/** What the shape of tensors says of the images in them. */
function shapeOf(pixels: readonly Numbers[] | AnyTensor): readonly [number, number] | undefined {
  const image = isTensor(pixels)
    ? pixels.shape.slice(1)
    : isTensor(pixels[0])
      ? pixels[0].shape
      : []
  return image.length > 1 ? [image[image.length - 2], image[image.length - 1]] : undefined
}

function check(
  op: string,
  pixels: readonly ArrayLike<number>[],
  options: ImageOptions,
  own?: readonly [number, number],
): readonly [number, number] {
  checkedOptions(op, options)
  const { columns = 1, captions = pixels } = options
  checkCount(`plot.${op}`, 'columns', columns)
  if (!Array.isArray(captions)) {
    throw new ArgumentError(`plot.${op}: expected a list of captions, got ${excerpt(captions)}`)
  }
  if (captions.length !== pixels.length) {
    throw new ShapeError(
      `plot.${op}: expected a caption per image, got ${captions.length} for ${pixels.length}`,
    )
  }
  const side = Math.round(Math.sqrt(pixels[0].length))
  const shape = options.imageShape ?? own ?? ([side, side] as const)
  if (!Array.isArray(shape) || shape.length !== 2) {
    throw new ShapeError(`plot.${op}: expected imageShape [rows, columns], got ${excerpt(shape)}`)
  }
  for (const [i, image] of pixels.entries()) {
    if (image.length === shape[0] * shape[1]) continue
    throw new ShapeError(
      `plot.${op}: expected images of ${shape.join(' × ')} pixels, got ${image.length} in image ${i}`,
    )
  }
  return shape
}

function drawGrid(
  description: string,
  shades: readonly Shade[],
  [rows, columns]: readonly [number, number],
  options: ImageOptions,
  legend: Spec[] = [],
): Promise<string> {
  const { width = WIDTH, captions } = options
  const across = Math.min(
    options.columns ?? Math.ceil(Math.sqrt(1.6 * shades.length)),
    shades.length,
  )
  const tile = Math.max(1, Math.min(LARGEST, Math.floor((width - 12) / across) - GAP))
  const tileHeight = Math.max(1, Math.round((tile * rows) / columns))
  const pitch = tileHeight + GAP + (captions ? CAPTION : 0)
  const values = shades.map((shade, i) => ({
    url: pngUrl(rows, columns, shade),
    x: (i % across) * (tile + GAP) + tile / 2,
    y: Math.floor(i / across) * pitch + tileHeight / 2,
    caption: captions?.[i],
  }))
  const position = {
    x: { field: 'x', type: 'quantitative', scale: null, axis: null },
    y: { field: 'y', type: 'quantitative', scale: null, axis: null },
  }
  const picture = { type: 'image', width: tile, height: tileHeight, aspect: false, smooth: false }
  const text = { type: 'text', dy: tileHeight / 2 + 10, fontSize: 11, color: TEXT }
  return drawSized(
    {
      description: describe(description, {}, captions),
      data: { values },
      width: across * (tile + GAP) - GAP,
      height: Math.ceil(shades.length / across) * pitch - GAP,
      layer: [
        { mark: picture, encoding: { ...position, url: { field: 'url', type: 'nominal' } } },
        ...(captions
          ? [{ mark: text, encoding: { ...position, text: { field: 'caption' } } }]
          : []),
        ...legend,
      ],
    },
    options,
  )
}

/** A legend from the most negative to the most positive colour. */
function scaleOf(largest: number): Spec[] {
  const transparent = (hex: string) => `${hex}00`
  return [
    {
      mark: { type: 'point', opacity: 0 },
      encoding: {
        x: { value: 0 },
        y: { value: 0 },
        color: {
          datum: 0,
          type: 'quantitative',
          scale: {
            domain: [-largest, 0, 0, largest],
            range: [PALETTE[0], transparent(PALETTE[0]), transparent(PALETTE[1]), PALETTE[1]],
          },
          legend: { title: 'weight', format: '.2~g', gradientLength: 200 },
        },
      },
    },
  ]
}
