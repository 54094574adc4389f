/** A file of a ZIP archive; sizes in bytes, `time` in milliseconds since the epoch, `offset` where its header begins. */
export interface Entry {
  name: Buffer
  flags: number
  time: number
  offset: number
  crc: number
  packedBytes: number
  sizeBytes: number
}

/** Where the format has room for 32 bits, this says that the value stands in a field of 64. */
const beyond = 0xffffffff
const zip64Version = 45
const deflated = 8
const zip64Field = 0x0001
/** Made on Unix, where a mode stands in the upper half of the attributes: a file that its owner writes and all read. */
const unix = 3
const fileMode = 0o100644

/** What stands before the content. With flag 8 the sizes follow the content, in 64 bits. */
export function localHeader(entry: Entry): Buffer {
  const later = (entry.flags & 0x0008) !== 0
  const extra = later ? sizes64(0, 0) : Buffer.alloc(0)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  writeCommon(header, 4, entry)
  header.writeUInt32LE(later ? 0 : entry.crc, 14)
  header.writeUInt32LE(later ? beyond : entry.packedBytes, 18)
  header.writeUInt32LE(later ? beyond : entry.sizeBytes, 22)
  header.writeUInt16LE(entry.name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, entry.name, extra])
}

/** The descriptor after a content whose size was not known before. */
export function entryEnd(entry: Entry): Buffer {
  const end = Buffer.alloc(24)
  end.writeUInt32LE(0x08074b50, 0)
  end.writeUInt32LE(entry.crc, 4)
  end.writeBigUInt64LE(BigInt(entry.packedBytes), 8)
  end.writeBigUInt64LE(BigInt(entry.sizeBytes), 16)
  return end
}

/** What the directory at the end says of a file. */
export function centralRecord(entry: Entry): Buffer {
  const large = [entry.sizeBytes, entry.packedBytes, entry.offset].some((one) => one >= beyond)
  const extra = large ? sizes64(entry.sizeBytes, entry.packedBytes, entry.offset) : Buffer.alloc(0)
  const record = Buffer.alloc(46)
  record.writeUInt32LE(0x02014b50, 0)
  record.writeUInt16LE((unix << 8) | zip64Version, 4)
  writeCommon(record, 6, entry)
  record.writeUInt32LE(entry.crc, 16)
  record.writeUInt32LE(large ? beyond : entry.packedBytes, 20)
  record.writeUInt32LE(large ? beyond : entry.sizeBytes, 24)
  record.writeUInt16LE(entry.name.length, 28)
  record.writeUInt16LE(extra.length, 30)
  record.writeUInt32LE((fileMode << 16) >>> 0, 38)
  record.writeUInt32LE(large ? beyond : entry.offset, 42)
  return Buffer.concat([record, entry.name, extra])
}

/** What ends an archive whose directory lies from `start` to `end`. */
export function directoryEnd({ files, start, end }: { files: number; start: number; end: number }): Buffer {
  const short = Buffer.alloc(22)
  short.writeUInt32LE(0x06054b50, 0)
  const most = Math.min(files, 0xffff)
  short.writeUInt16LE(most, 8)
  short.writeUInt16LE(most, 10)
  short.writeUInt32LE(Math.min(end - start, beyond), 12)
  short.writeUInt32LE(Math.min(start, beyond), 16)
  if (files < 0xffff && end < beyond) return short
  const long = Buffer.alloc(56)
  long.writeUInt32LE(0x06064b50, 0)
  long.writeBigUInt64LE(44n, 4)
  long.writeUInt16LE((unix << 8) | zip64Version, 12)
  long.writeUInt16LE(zip64Version, 14)
  long.writeBigUInt64LE(BigInt(files), 24)
  long.writeBigUInt64LE(BigInt(files), 32)
  long.writeBigUInt64LE(BigInt(end - start), 40)
  long.writeBigUInt64LE(BigInt(start), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(end), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([long, locator, short])
}

/** Version needed, flags, method and time: alike in both kinds of header. */
function writeCommon(header: Buffer, at: number, { flags, time }: Entry): void {
  header.writeUInt16LE(zip64Version, at)
  header.writeUInt16LE(flags, at + 2)
  header.writeUInt16LE(deflated, at + 4)
  // The format counts from 1980, without a zone.
  const date = new Date(Math.max(time, Date.UTC(1980, 0, 1)))
  const clock = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  header.writeUInt16LE(clock, at + 6)
  const day = ((date.getUTCFullYear() - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  header.writeUInt16LE(day & 0xffff, at + 8)
}

function sizes64(...sizes: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * sizes.length)
  field.writeUInt16LE(zip64Field, 0)
  field.writeUInt16LE(8 * sizes.length, 2)
  for (const [n, size] of sizes.entries()) field.writeBigUInt64LE(BigInt(size), 4 + 8 * n)
  return field
}
