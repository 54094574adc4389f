/**
 * A name as placeholders write it: camel case, words split at everything that is not a letter or digit and at borders of
 * case. `San Bruno 1` is `sanBruno1`, `API_device` is `apiDevice`.
 */
export function camelName(name: string): string {
  const plain = name.normalize('NFD').replace(/\p{M}/gu, '')
  const words = plain.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+/g) ?? []
  const camel = words.map((word, index) => {
    const low = word.toLowerCase()
    return index === 0 ? low : low[0]!.toUpperCase() + low.slice(1)
  })
  return camel.join('') || 'unnamed'
}

/** Gives placeholders that are unique in one export: the same name again gets `-1`, `-2`, ... */
export function placeholderMaker(): (type: string, name: string) => string {
  const unique = uniqueNames((name, count) => `${name}-${count}`)
  return (type, name) => `~exportplaceholderid-${unique(`${type}-${camelName(name)}`)}~`
}

/** Gives file names, without an ending, that are unique in one folder, whatever the case. */
export function fileNameMaker(): (name: string) => string {
  const unique = uniqueNames((name, count) => `${name}-${count}`)
  return (name) => {
    const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^\./, '_')
    return unique(plain.slice(0, 200) || '_')
  }
}

function uniqueNames(numbered: (name: string, count: number) => string): (name: string) => string {
  const taken = new Set<string>()
  return (name) => {
    let candidate = name
    for (let count = 1; taken.has(candidate.toLowerCase()); count++) candidate = numbered(name, count)
    taken.add(candidate.toLowerCase())
    return candidate
  }
}
