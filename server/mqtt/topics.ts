const mostChars = 1_024
const mostLevels = 64

/** True for what a message can be published to. */
export function isTopic(topic: string): boolean {
  return isSized(topic) && !/[+#\0]/.test(topic)
}

/** True for what can be subscribed to: `+` and `#` stand alone in their level, `#` in the last one. */
export function isFilter(filter: string): boolean {
  if (!isSized(filter) || filter.includes('\0')) return false
  const levels = filter.split('/')
  return levels.every((level, i) => {
    return level === '+' || (level === '#' ? i === levels.length - 1 : !/[+#]/.test(level))
  })
}

/** True for topics and filters of the application's own choice: what is no device's and no broker's. */
export function isCustom(topic: string): boolean {
  return !topic.startsWith('losant') && !topic.startsWith('$')
}

/** True when the pattern fits the topic; and of a filter, when it fits all topics that the filter can. */
export function covers(pattern: string, filter: string): boolean {
  const [wide, narrow] = [pattern.split('/'), filter.split('/')]
  for (const [i, level] of wide.entries()) {
    // `a/#` fits `a` as well.
    if (level === '#') return i <= narrow.length
    if (i >= narrow.length || narrow[i] === '#') return false
    if (level !== '+' && level !== narrow[i]) return false
  }
  return wide.length === narrow.length
}

/** True when some topic fits both. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [one.split('/'), other.split('/')]
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === '#' || b[i] === '#') return true
    if (a[i] === undefined || b[i] === undefined) return false
    if (a[i] !== '+' && b[i] !== '+' && a[i] !== b[i]) return false
  }
  return true
}

/** The device and the purpose that a topic `losant/<deviceId>/<purpose>` names; undefined for any other. */
export function deviceTopicOf(topic: string): { deviceId: string; purpose: string } | undefined {
  const [, deviceId, purpose] = /^losant\/([0-9a-f]{24})\/([^+#]+)$/.exec(topic) ?? []
  return deviceId === undefined || purpose === undefined ? undefined : { deviceId, purpose }
}

/** Where a device hears its commands. */
export function commandTopic(deviceId: string): string {
  return `losant/${deviceId}/command`
}

function isSized(topic: string): boolean {
  return topic.length > 0 && topic.length <= mostChars && topic.split('/').length <= mostLevels
}
