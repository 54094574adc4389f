const ascii = /^[\0-\x7f]*$/

/** The form in which text is ordered and compared without case: composed (NFC), then lower case by English rules. */
export function fold(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.normalize('NFC').toLocaleLowerCase('en')
}
