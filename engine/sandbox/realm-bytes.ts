/**
 * Buffer, TextEncoder, TextDecoder, atob and btoa in plain JavaScript, for isolates that have none of them. Its text is
 * sent to the children: it uses nothing but the language. Behaves as Node does for what function nodes use.
 */
export function realmBytes(): Record<string, unknown> {
  type Encoding = string | undefined
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

  class Buffer extends Uint8Array<ArrayBuffer> {
    // Kept from the age of `new Buffer(text, 'base64')`, which scripts still use.
    constructor(value: unknown = 0, encoding?: unknown, length?: unknown) {
      if (typeof value === 'string') super(new Uint8Array(encode(value, encoding as Encoding)).buffer)
      else super(value as ArrayBuffer, encoding as number, length as number)
    }

    static override from(value: unknown, encoding?: unknown, length?: unknown): Buffer {
      if (value instanceof ArrayBuffer) return new Buffer(value, encoding ?? 0, length)
      return new Buffer(toBytes(value, encoding as Encoding))
    }
    static alloc(size: number, fill?: unknown, encoding?: Encoding): Buffer {
      const buffer = new Buffer(size)
      return fill === undefined ? buffer : (buffer.fill(fill as number, 0, size, encoding) as Buffer)
    }
    static allocUnsafe(size: number): Buffer {
      return new Buffer(size)
    }
    static isBuffer(value: unknown): value is Buffer {
      return value instanceof Buffer
    }
    static isEncoding(name: unknown): boolean {
      try {
        return typeof name === 'string' && normalize(name) !== ''
      } catch {
        // Unknown names are what is asked about.
        return false
      }
    }
    static byteLength(value: unknown, encoding?: Encoding): number {
      return typeof value === 'string' ? encode(value, encoding).length : (value as ArrayBuffer).byteLength
    }
    static compare(a: Uint8Array, b: Uint8Array): number {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number) ? -1 : 1
      }
      return Math.sign(a.length - b.length)
    }
    static concat(list: readonly Uint8Array[], total = list.reduce((sum, item) => sum + item.length, 0)): Buffer {
      const out = new Buffer(total)
      let at = 0
      for (const item of list) {
        if (at >= total) break
        out.set(item.subarray(0, total - at), at)
        at += item.length
      }
      return out
    }

    override toString(encoding?: Encoding, start = 0, end = this.length): string {
      return decode(this.subarray(start, end), encoding)
    }
    toJSON(): { type: 'Buffer'; data: number[] } {
      return { type: 'Buffer', data: Array.from(this) }
    }
    override subarray(start?: number, end?: number): Buffer {
      return super.subarray(start, end) as Buffer
    }
    // A view, unlike the slice of other typed arrays.
    override slice(start?: number, end?: number): Buffer {
      return this.subarray(start, end)
    }
    equals(other: Uint8Array): boolean {
      return Buffer.compare(this, other) === 0
    }
    compare(other: Uint8Array): number {
      return Buffer.compare(this, other)
    }
    copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
      const part = this.subarray(start, Math.min(end, start + target.length - at))
      target.set(part, at)
      return part.length
    }
    write(value: string, at: unknown = 0, length?: unknown, encoding?: Encoding): number {
      const words = [at, length, encoding]
      const bytes = encode(value, words.find((word) => typeof word === 'string') as Encoding)
      const start = typeof at === 'number' ? at : 0
      const count = Math.min(bytes.length, typeof length === 'number' ? length : bytes.length, this.length - start)
      this.set(bytes.slice(0, Math.max(0, count)), start)
      return Math.max(0, count)
    }
    override fill(value: unknown, start?: unknown, end?: unknown, encoding?: unknown): this {
      if (typeof value !== 'string' && !ArrayBuffer.isView(value)) {
        return super.fill(Number(value) & 255, start as number, end as number)
      }
      const name = [start, end, encoding].find((word) => typeof word === 'string')
      const bytes = toBytes(value, name as Encoding)
      const from = typeof start === 'number' ? start : 0
      const to = typeof end === 'number' ? end : this.length
      for (let i = from; i < to; i++) this[i] = bytes.length === 0 ? 0 : (bytes[(i - from) % bytes.length] as number)
      return this
    }
    override indexOf(value: unknown, from = 0, encoding?: Encoding): number {
      if (typeof value === 'number') return super.indexOf(value & 255, from)
      const bytes = toBytes(value, encoding)
      for (let i = Math.max(0, from < 0 ? this.length + from : from); i + bytes.length <= this.length; i++) {
        let same = 0
        while (same < bytes.length && this[i + same] === bytes[same]) same++
        if (same === bytes.length) return i
      }
      return -1
    }
    override includes(value: unknown, from = 0, encoding?: Encoding): boolean {
      return this.indexOf(value, from, encoding) >= 0
    }
  }

  const give = (name: string, value: unknown) =>
    Object.defineProperty(Buffer.prototype, name, { value, writable: true, configurable: true })
  const viewOf = (buffer: Uint8Array) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const inRange = (value: number | bigint, low: number | bigint, high: number | bigint) => {
    if (value < low || value > high) {
      throw new RangeError(
        `The value of "value" is out of range. It must be >= ${low} and <= ${high}. Received ${value}`,
      )
    }
  }
  const kinds: [name: string, view: string, bytes: number, low?: number | bigint, high?: number | bigint][] = [
    ['UInt8', 'Uint8', 1, 0, 0xff],
    ['Int8', 'Int8', 1, -0x80, 0x7f],
    ['UInt16', 'Uint16', 2, 0, 0xffff],
    ['Int16', 'Int16', 2, -0x8000, 0x7fff],
    ['UInt32', 'Uint32', 4, 0, 0xffffffff],
    ['Int32', 'Int32', 4, -0x80000000, 0x7fffffff],
    ['BigUInt64', 'BigUint64', 8, 0n, 0xffffffffffffffffn],
    ['BigInt64', 'BigInt64', 8, -0x8000000000000000n, 0x7fffffffffffffffn],
    ['Float', 'Float32', 4],
    ['Double', 'Float64', 8],
  ]
  type Views = Record<string, (at: number, value: unknown, little?: boolean) => unknown>
  for (const [name, view, size, low, high] of kinds) {
    for (const end of size === 1 ? [''] : ['BE', 'LE']) {
      const little = end === 'LE'
      const read = function (this: Uint8Array, at = 0) {
        return (viewOf(this) as unknown as Views)[`get${view}`]?.call(viewOf(this), at, little)
      }
      const write = function (this: Uint8Array, value: number | bigint, at = 0) {
        if (low !== undefined && high !== undefined) inRange(value, low, high)
        ;(viewOf(this) as unknown as Views)[`set${view}`]?.call(viewOf(this), at, value, little)
        return at + size
      }
      for (const spelled of new Set([name, name.replace('UInt', 'Uint')])) {
        give(`read${spelled}${end}`, read)
        give(`write${spelled}${end}`, write)
      }
    }
  }
  // Whole numbers of 1 to 6 bytes.
  for (const end of ['BE', 'LE']) {
    const place = (at: number, size: number, i: number) => (end === 'BE' ? at + i : at + size - 1 - i)
    const checkSize = (buffer: Uint8Array, at: number, size: number) => {
      if (!(size >= 1 && size <= 6)) throw new RangeError('"byteLength" must be 1 to 6')
      if (!(at >= 0 && at + size <= buffer.length)) throw new RangeError('Offset is outside the bounds of the Buffer')
    }
    const readUnsigned = function (this: Uint8Array, at: number, size: number) {
      checkSize(this, at, size)
      let value = 0
      for (let i = 0; i < size; i++) value = value * 256 + (this[place(at, size, i)] as number)
      return value
    }
    const readSigned = function (this: Uint8Array, at: number, size: number) {
      const value = readUnsigned.call(this, at, size)
      return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value
    }
    const writer = (signed: boolean) =>
      function (this: Uint8Array, value: number, at: number, size: number) {
        checkSize(this, at, size)
        const half = 2 ** (8 * size - 1)
        inRange(value, signed ? -half : 0, signed ? half - 1 : 2 * half - 1)
        let rest = value < 0 ? value + 2 * half : value
        for (let i = size - 1; i >= 0; i--) {
          this[place(at, size, i)] = rest % 256
          rest = Math.floor(rest / 256)
        }
        return at + size
      }
    for (const spelled of ['UInt', 'Uint']) {
      give(`read${spelled}${end}`, readUnsigned)
      give(`write${spelled}${end}`, writer(false))
    }
    give(`readInt${end}`, readSigned)
    give(`writeInt${end}`, writer(true))
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

  return { Buffer, TextEncoder, TextDecoder, atob, btoa }
}
