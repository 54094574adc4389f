/** A name of an encoding as scripts give it, in any case; undefined is UTF-8. */
type Encoding = string | undefined

/** Text to bytes and back, for `realmBytes`; `web` is what scripts get of it by name. */
export interface RealmText {
  encode(value: string, encoding?: Encoding): number[]
  decode(bytes: Uint8Array, encoding?: Encoding): string
  /** Throws a TypeError for an unknown encoding. */
  normalize(encoding: Encoding): string
  toBytes(value: unknown, encoding?: Encoding): ArrayLike<number>
  web: Record<string, unknown>
}

/**
 * The encodings of Node, TextEncoder, TextDecoder, atob and btoa in plain JavaScript, for isolates that have none of
 * them. Its text is sent to the children: it uses nothing but the language.
 */
export function realmText(): RealmText {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const sextets = new Map<string, number>([...alphabet].map((letter, i) => [letter, i]))
  sextets.set('-', 62).set('_', 63)

  function utf8Encode(value: string): number[] {
    const out: number[] = []
    for (let i = 0; i < value.length; i++) {
      let code = value.codePointAt(i) as number
      if (code > 0xffff) i++
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd
      if (code < 0x80) out.push(code)
      else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
      else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
      else {
        out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
      }
    }
    return out
  }

  /** Malformed sequences become U+FFFD, one for each maximal part, as the Encoding standard has it. */
  function utf8Decode(bytes: Uint8Array, fatal = false): string {
    const out: number[] = []
    let i = 0
    while (i < bytes.length) {
      const first = bytes[i++] as number
      if (first < 0x80) {
        out.push(first)
        continue
      }
      let needed = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : 0
      if (first >= 0xf0 && first <= 0xf4) needed = 3
      let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
      let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
      let code = first & (0x3f >> needed)
      let valid = needed > 0
      for (; needed > 0; needed--) {
        const next = bytes[i] ?? -1
        if (next < low || next > high) {
          valid = false
          break
        }
        code = (code << 6) | (next & 63)
        low = 0x80
        high = 0xbf
        i++
      }
      if (!valid && fatal) throw new TypeError('The encoded data was not valid for encoding utf-8')
      out.push(valid ? code : 0xfffd)
    }
    return fromCodes(out, String.fromCodePoint)
  }

  function fromCodes(codes: ArrayLike<number>, convert: (...codes: number[]) => string): string {
    let out = ''
    for (let i = 0; i < codes.length; i += 4096) out += convert(...Array.prototype.slice.call(codes, i, i + 4096))
    return out
  }

  function base64Encode(bytes: Uint8Array, letters: string, padded: boolean): string {
    let out = ''
    for (let i = 0; i < bytes.length; i += 3) {
      const a = bytes[i] as number
      const b = bytes[i + 1]
      const c = bytes[i + 2]
      out += (letters[a >> 2] as string) + letters[((a & 3) << 4) | ((b ?? 0) >> 4)]
      out += b === undefined ? (padded ? '=' : '') : (letters[((b & 15) << 2) | ((c ?? 0) >> 6)] as string)
      out += c === undefined ? (padded ? '=' : '') : (letters[c & 63] as string)
    }
    return out
  }

  function base64Decode(value: string): number[] {
    const out: number[] = []
    let bits = 0
    let count = 0
    for (const letter of value) {
      if (letter === '=') break
      const sextet = sextets.get(letter)
      if (sextet === undefined) continue
      bits = ((bits << 6) | sextet) & 0xffffff
      count += 6
      if (count >= 8) {
        count -= 8
        out.push((bits >> count) & 255)
      }
    }
    return out
  }

  function hexDecode(value: string): number[] {
    const out: number[] = []
    for (let i = 0; i + 1 < value.length; i += 2) {
      const pair = value.slice(i, i + 2)
      if (!/^[0-9a-f]{2}$/i.test(pair)) break
      out.push(Number.parseInt(pair, 16))
    }
    return out
  }

  function normalize(encoding: Encoding): string {
    const name = String(encoding ?? 'utf8').toLowerCase()
    if (name === 'utf-8') return 'utf8'
    if (name === 'binary' || name === 'latin-1') return 'latin1'
    if (name === 'ucs2' || name === 'ucs-2' || name === 'utf-16le') return 'utf16le'
    if (['utf8', 'hex', 'base64', 'base64url', 'ascii', 'latin1', 'utf16le'].includes(name)) return name
    throw new TypeError(`Unknown encoding: ${encoding}`)
  }

  function encode(value: string, encoding?: Encoding): number[] {
    switch (normalize(encoding)) {
      case 'hex':
        return hexDecode(value)
      case 'base64':
      case 'base64url':
        return base64Decode(value)
      case 'ascii':
      case 'latin1':
        return Array.from({ length: value.length }, (_, i) => value.charCodeAt(i) & 255)
      case 'utf16le':
        return Array.from({ length: value.length * 2 }, (_, i) => (value.charCodeAt(i >> 1) >> ((i & 1) * 8)) & 255)
      default:
        return utf8Encode(value)
    }
  }

  function decode(bytes: Uint8Array, encoding?: Encoding): string {
    switch (normalize(encoding)) {
      case 'hex':
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
      case 'base64':
        return base64Encode(bytes, alphabet, true)
      case 'base64url':
        return base64Encode(bytes, `${alphabet.slice(0, 62)}-_`, false)
      case 'ascii':
        return fromCodes(
          Array.from(bytes, (byte) => byte & 127),
          String.fromCharCode,
        )
      case 'latin1':
        return fromCodes(bytes, String.fromCharCode)
      case 'utf16le':
        return fromCodes(
          Array.from({ length: bytes.length >> 1 }, (_, i) => (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8)),
          String.fromCharCode,
        )
      default:
        return utf8Decode(bytes)
    }
  }

  function toBytes(value: unknown, encoding?: Encoding): ArrayLike<number> {
    if (typeof value === 'string') return encode(value, encoding)
    if (value instanceof ArrayBuffer) return new Uint8Array(value)
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return value as unknown as ArrayLike<number>
    const given = value as { type?: unknown; data?: unknown } | null
    if (given?.type === 'Buffer' && Array.isArray(given.data)) return given.data
    throw new TypeError('Expected a string, an array, a Buffer or an ArrayBuffer')
  }

  class TextEncoder {
    readonly encoding = 'utf-8'
    encode(value = ''): Uint8Array {
      return new Uint8Array(utf8Encode(String(value)))
    }
  }

  class TextDecoder {
    readonly encoding: string
    readonly fatal: boolean
    constructor(encoding = 'utf-8', options: { fatal?: boolean } = {}) {
      this.encoding = normalize(encoding) === 'utf8' ? 'utf-8' : normalize(encoding)
      this.fatal = options.fatal === true
    }
    decode(value: ArrayBuffer | Uint8Array = new Uint8Array()): string {
      const bytes = toBytes(value) as Uint8Array
      if (this.encoding !== 'utf-8') return decode(bytes, this.encoding)
      const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
      return utf8Decode(bom ? bytes.subarray(3) : bytes, this.fatal)
    }
  }

  function atob(value: unknown): string {
    const base64 = String(value).replace(/[\t\n\f\r ]/g, '')
    const data = base64.length % 4 === 0 ? base64.replace(/={1,2}$/, '') : base64
    if (data.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(data)) throw new TypeError('The text is not valid base64')
    return decode(new Uint8Array(base64Decode(data)), 'latin1')
  }

  function btoa(value: unknown): string {
    const latin1 = String(value)
    for (let i = 0; i < latin1.length; i++) {
      if (latin1.charCodeAt(i) > 255) throw new TypeError('The text has characters outside of Latin1')
    }
    return base64Encode(new Uint8Array(encode(latin1, 'latin1')), alphabet, true)
  }

  return { encode, decode, normalize, toBytes, web: { TextEncoder, TextDecoder, atob, btoa } }
}
