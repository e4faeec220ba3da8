/**
 * `neuroblas/data`: tables, images and arrays as examples to train on. `neuroblas` exports the same.
 * @module neuroblas/data
 */
export type { BlockOptions } from './blocks/blockLoader.js'
export type { Block, BlockSource } from './blocks/blockSource.js'
export { type TableBlocks, type TableBlocksOptions, tableBlocks } from './blocks/tableBlocks.js'
export { type Dataset, dataset, split, subset } from './dataset.js'
export type { DatasetSource, Task } from './datasetSource.js'
export { type Batch, Examples } from './examples.js'
export { loadNpy, loadNpz, type NpyArray } from './formats/npy.js'
export type { NpyValues } from './formats/npyTypes.js'
export type { ByteSource } from './formats/text.js'
export type { ImageFormat } from './images/format.js'
export { type ImageBlocks, type ImageBlocksOptions, imageBlocks } from './images/imageBlocks.js'
export {
  type ImageFolder,
  type ImageFolderOptions,
  type ImageParts,
  imageFolder,
} from './images/imageFolder.js'
export { type ImageSource, readImages } from './images/readImages.js'
export { DataLoader, type LoaderOptions } from './loader.js'
export { digits } from './sets/digits.js'
export { iris } from './sets/iris.js'
export { mnist } from './sets/mnist.js'
export type {
  DuckDBSettings,
  SourceBatch,
  SourceColumn,
  SourceType,
  SourceValues,
  TableReader,
  TextValues,
} from './sources/source.js'
export type { CellFormat } from './table/cells.js'
export type { DatePart } from './table/dates.js'
export type { ColumnDescription } from './table/describe.js'
export type {
  CategoryEncoding,
  DateEncoding,
  FeatureEncoding,
  LabelEncoding,
  NumberEncoding,
  TableEncoding,
  TextEncoding,
  ValueEncoding,
} from './table/encoding.js'
export type { TableCell, TableRecord, TableRows } from './table/frame.js'
export type { MissingPolicy } from './table/missing.js'
export type { ColumnReference } from './table/roles.js'
export type { TableSplit } from './table/splitTable.js'
export { type Table, table } from './table/table.js'
export type { TableChunk, TableOptions, TableSource } from './table/tableOptions.js'
export { type Augment, type DistortionOptions, distortion } from './transforms/distortion.js'
export {
  type ImageAugmentationOptions,
  imageAugmentation,
} from './transforms/imageAugmentation.js'
export { fitPreprocessing, type Preprocessing, preprocess } from './transforms/standardize.js'
