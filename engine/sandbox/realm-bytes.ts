import type { RealmText } from './realm-text.ts'

/**
 * Buffer in plain JavaScript, for isolates that have none. Its text is sent to the children: it uses nothing but the
 * language and its argument. Behaves as Node does for what function nodes use.
 */
export function realmBytes({ encode, decode, normalize, toBytes, web }: RealmText): Record<string, unknown> {
  type Encoding = string | undefined
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

  return { Buffer, ...web }
}
