/** Attribute names from a list of values: each is a name, or several with commas between. Blank ones fall away. */
export function attributeNames(values: readonly unknown[]): string[] {
  return values
    .flatMap((value) => String(value ?? '').split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
