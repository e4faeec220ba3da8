/** Colours and fonts that read well on white and on black, since the charts have no background. */

/**
 * Told apart by colour-blind readers, and seen on white and on dark pages: the first three after Okabe and
 * Ito (2008), darkened, the others as far from them and from each other as that allows.
 */
export const PALETTE = [
  '#2f7fc1',
  '#d55e00',
  '#009e73',
  '#c31e87',
  '#785a3c',
  '#e15aff',
  '#961ed2',
  '#0f5aff',
] as const

/** 4.2 times as bright as black, and white 4.2 times as bright as it. */
export const TEXT = '#777b80'
export const GRID = '#80808040'

/** How much wider bold letters are. */
export const BOLD = 1.12

/** What a chart's `config` is. */
export const theme = {
  // A label of the whole is read out instead of one per mark.
  aria: false,
  font: 'system-ui, sans-serif',
  background: null,
  padding: 6,
  title: {
    anchor: 'start',
    color: TEXT,
    fontSize: 15,
    offset: 10,
    subtitleColor: TEXT,
    subtitleFontSize: 13,
    subtitlePadding: 4,
  },
  axis: {
    domainColor: TEXT,
    gridColor: GRID,
    labelColor: TEXT,
    labelFontSize: 12,
    // Cut-off text would be measured when it is drawn, by vega's own widths.
    labelLimit: 0,
    tickColor: TEXT,
    titleColor: TEXT,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelFlush: false,
  },
  // Room for the labels, so that charts below each other line up.
  axisY: { minExtent: 32 },
  legend: {
    labelColor: TEXT,
    labelFontSize: 12,
    labelLimit: 0,
    orient: 'top',
    symbolStrokeWidth: 2,
    title: null,
    titleColor: TEXT,
    titleFontSize: 12,
    titleFontWeight: 'normal',
  },
  header: { labelColor: TEXT, labelFontSize: 12, labelAnchor: 'start', title: null },
  range: { category: [...PALETTE] },
  view: { stroke: null },
} as const

export type Rgb = readonly [red: number, green: number, blue: number]

/** From '#rrggbb'. */
export function rgb(hex: string): Rgb {
  const bits = Number.parseInt(hex.slice(1), 16)
  return [bits >> 16, (bits >> 8) & 255, bits & 255]
}
