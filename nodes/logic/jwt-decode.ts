import { FlowError } from '../../engine/errors.ts'
import { flag, path, template } from '../../engine/fields.ts'
import { parseJsonText } from '../../engine/json-text.ts'
import { copyBounded } from '../bounds.ts'
import { defineNode } from '../define.ts'

export const jwtDecode = defineNode({
  type: 'jwt-decode',
  aliases: ['JWTDecodeNode'],
  group: 'logic',
  title: 'JWT: Decode',
  summary: 'Reads the claims of a JSON web token without checking who signed it.',
  outputs: ['next'],
  needs: [],
  config: {
    token: template({
      key: 'tokenTemplate',
      label: 'Token',
      help: 'The three parts with dots between them.',
      required: true,
    }),
    complete: flag({
      key: 'complete',
      label: 'With header and signature',
      help: 'Gives { header, payload, signature } in place of the claims.',
    }),
    destination: path({
      key: 'destinationPath',
      label: 'Result',
      help: 'Where the claims are put; null for what is no token.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The claims',
      config: { tokenTemplate: '{{data.token}}', destinationPath: 'working.claims' },
      payload: { data: { token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl' } },
      output: 'next',
      result: {
        data: { token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl' },
        working: { claims: { sub: 'ada' } },
      },
    },
  ],
  run({ config }) {
    const parts = decode(config.token.trim())
    config.destination.write(parts === null || config.complete ? parts : parts.payload)
  },
})

function decode(token: string): { header: unknown; payload: unknown; signature: string } | null {
  const parts = token.split('.', 4)
  if (parts.length !== 3) return null
  const [header, payload] = parts.map(readPart)
  return header === undefined || payload === undefined ? null : { header, payload, signature: parts[2]! }
}

/** Undefined for what is no JSON object in base64url, or one that is nested too deep. */
function readPart(part: string): unknown {
  if (!/^[\w-]+$/.test(part)) return undefined
  try {
    const value = copyBounded(parseJsonText(Buffer.from(part, 'base64url').toString('utf8')))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof FlowError) return undefined
    throw error
  }
}
