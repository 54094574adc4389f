// Whatever a mail program could take for the end of a line, and what it would show as nothing.
const breaks = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu
const notInAddress = /[\s@<>,;:"()[\]\\\p{C}\p{Zl}\p{Zp}]/u

/** True for one plain address, `name@host`: no display name, no comment, nothing that is encoded. At most 320 characters. */
export function isAddress(text: string): boolean {
  if (text.length > 320 || text.includes('=?')) return false
  const parts = text.split('@')
  return parts.length === 2 && parts.every((part) => part !== '' && !notInAddress.test(part))
}

/** Text for one header line, at most 998 characters: breaks become blanks, and what looks like an encoded word is none. */
export function toHeaderText(text: string): string {
  return text.replace(breaks, ' ').replaceAll('=?', '= ?').slice(0, 998).toWellFormed()
}
