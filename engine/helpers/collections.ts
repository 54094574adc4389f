import { parsePath, readPath } from '../payload.ts'
import type { Call, Helpers } from './helper.ts'
import { isRecord, printValue } from './values.ts'

/** Making and searching lists and objects. */
export const collectionHelpers: Helpers = {
  obj: { run: (_, { hash }) => assignAll({}, hash) },
  array: { run: (args) => [...args] },
  merge: {
    run: (args, { budget }) => {
      const merged: Record<string, unknown> = {}
      for (const arg of args.filter(isRecord)) {
        budget.step(Object.keys(arg).length)
        assignAll(merged, arg)
      }
      return merged
    },
  },
  valueByKey: {
    run: (args, call) => {
      const index = indexOfKey(args, call)
      const value = index < 0 ? undefined : (args[0] as unknown[])[index]
      return readAt(value, args[3] ?? call.hash.valuePath, 'value')
    },
  },
  indexByKey: { run: (args, call) => indexOfKey(args, call) },
}

function indexOfKey([list, key, keyPath]: readonly unknown[], { budget, hash }: Call): number {
  if (!Array.isArray(list)) return -1
  budget.step(list.length)
  const path = pathOf(keyPath ?? hash.keyPath, 'key')
  return path ? list.findIndex((item) => readPath(item, path) === key) : -1
}

function readAt(value: unknown, path: unknown, fallback: string): unknown {
  const parsed = pathOf(path, fallback)
  return parsed && readPath(value, parsed)
}

function pathOf(path: unknown, fallback: string) {
  return parsePath(path === undefined ? fallback : printValue(path))
}

// A key "__proto__" is left out: further on, some assignment would take it for a prototype.
function assignAll(target: Record<string, unknown>, source: Readonly<Record<string, unknown>>) {
  for (const key of Object.keys(source)) if (key !== '__proto__') target[key] = source[key]
  return target
}
