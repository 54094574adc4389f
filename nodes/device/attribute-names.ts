/** Attribute names from a list of values: each is a name, or several with commas between. Blank ones, and what is no text, fall away. */
export function attributeNames(values: readonly unknown[]): string[] {
  return values
    .flatMap((value) => (typeof value === 'string' || typeof value === 'number' ? String(value).split(',') : []))
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
