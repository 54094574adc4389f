import type { QRCodeErrorCorrectionLevel } from 'qrcode'
import { FlowError } from '../../engine/errors.ts'
import { choice, numberTemplate, path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

const MOST_CHARS = 2_000
const LEAST_PIXELS = 64
const MOST_PIXELS = 1_024

/** How much of the picture may be lost, in percent: 7, 15, 25, 30. */
const levels = { low: 'L', medium: 'M', quartile: 'Q', high: 'H' } as const

export const qrCode = defineNode({
  type: 'qr-code',
  aliases: [],
  group: 'data',
  title: 'QR Code',
  summary: 'Draws a text, such as a link, as a QR code for a page.',
  outputs: ['next'],
  needs: [],
  config: {
    text: template({ key: 'textTemplate', label: 'Text', required: true, help: `At most ${MOST_CHARS} characters.` }),
    format: choice({
      key: 'format',
      label: 'Format',
      of: ['svg', 'png'],
      help: 'svg: text for {{{ }}} in a page; png: a data URL for the source of an image.',
    }),
    level: choice({
      key: 'errorLevel',
      label: 'Error correction',
      help: 'How much of the code may be hidden: low, medium, quartile or high. More takes more squares.',
      of: ['medium', 'low', 'quartile', 'high'],
    }),
    size: numberTemplate({
      key: 'sizeTemplate',
      label: 'Width in pixels',
      default: 256,
      help: `${LEAST_PIXELS} to ${MOST_PIXELS}.`,
    }),
    result: path({ key: 'resultPath', label: 'Result', help: 'The picture as text.', required: true, writes: true }),
  },
  examples: [
    {
      title: 'A link to claim a device',
      config: { textTemplate: 'https://shop.example.com/claim?code={{working.code}}', resultPath: 'working.qr' },
      payload: { working: { code: 'A1B2C3' } },
      output: 'next',
    },
  ],
  async run({ config }) {
    const { format } = config
    // Half a character cannot be drawn.
    const text = config.text.toWellFormed()
    const options = { errorCorrectionLevel: levels[config.level], width: widthOf(config.size), margin: 4 }
    if (text.length > MOST_CHARS) throw tooLong(`at most ${MOST_CHARS} characters`, text)
    config.result.write(format === 'svg' ? await svgOf(text, options) : await pngOf(text, options))
  },
})

interface Drawing {
  errorCorrectionLevel: QRCodeErrorCorrectionLevel
  width: number
  margin: number
}

// Only numbers and fixed words are in it: nothing of the text reaches the page but as squares.
async function svgOf(text: string, options: Drawing): Promise<string> {
  const { default: drawing } = await library()
  return fitting(text, drawing.toString(text, { ...options, type: 'svg' }))
}

async function pngOf(text: string, options: Drawing): Promise<string> {
  const { default: drawing } = await library()
  return fitting(text, drawing.toDataURL(text, { ...options, type: 'image/png' }))
}

// Loaded when it is first used: it brings what reads and writes PNG.
const library = () => import('qrcode')

/** A text that has few characters can still have too many bytes for the level. */
async function fitting(text: string, drawn: Promise<string>): Promise<string> {
  try {
    return await drawn
  } catch (cause) {
    if (!(cause instanceof Error && /too big/i.test(cause.message))) throw cause
    throw tooLong('a shorter text, or a lower error correction', text, cause)
  }
}

function tooLong(expected: string, text: string, cause?: unknown): FlowError {
  const message = `Expected ${expected} for a QR code, got ${text.length} characters. Check the template of the text.`
  return new FlowError('text.too-long', message, { cause })
}

function widthOf(size: number | undefined): number {
  const width = Math.round(size ?? Number.NaN)
  if (width >= LEAST_PIXELS && width <= MOST_PIXELS) return width
  throw new FlowError('config.type', `Expected "Width in pixels" from ${LEAST_PIXELS} to ${MOST_PIXELS}, got ${size}`)
}
