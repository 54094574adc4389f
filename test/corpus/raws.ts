/** A value that a setting or a place of a payload may have, and what failures call it. */
export interface Raw {
  name: string
  value: unknown
}

/** Stands for a key that is not there. */
export const missing = Symbol('missing')

const deep = (levels: number): unknown =>
  levels === 0 ? 'x' : levels % 2 ? [deep(levels - 1)] : { a: deep(levels - 1) }
const long = 'x'.repeat(20_000)
const polluting = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'

/** What templates of the corpus render to: it stands at `wrong` in the payload of each case. */
export const wrong = {
  ...{ text: 'some text', blank: ' ', number: 42, negative: -1.5, huge: 1e308, flag: true, nothing: null },
  ...{ list: [1, 'two', null, { three: 3 }], object: { a: { b: 1 } }, date: new Date(0), nan: 'NaN', long },
  many: Array.from({ length: 2_000 }, (_, index) => index),
  id: '6521f7b20c1d4e8a9b3c5d71',
}

/** Values for the key of any setting. */
export const raws: readonly Raw[] = named({
  ...{ missing, null: null, empty: '', blank: ' \n' },
  ...{ number: 5, fraction: -1.5, 'huge number': 1e308, true: true, false: false },
  ...{ list: [], 'list of null': [null], 'list of objects': [{}], 'list of lists': [[[]]] },
  ...{ object: {}, 'object of objects': { a: { b: [] } }, 'polluting object': JSON.parse(polluting) },
  ...{ word: 'word', 'number text': '42', 'not a number': 'NaN', infinity: 'Infinity', overflow: '1e999', hex: '0x1F' },
  ...{ path: 'wrong.object', 'path of a list': 'wrong.list.[0]', 'whole payload': '.', 'bad path': 'a..[b' },
  ...{ 'huge index': 'wrong.list.[4294967295]', 'json list': '[1, {"a": null}]', 'bad json': '{"a":' },
  ...Object.fromEntries(Object.keys(wrong).map((key) => [`template of ${key}`, `{{wrong.${key}}}`])),
  ...{ 'template of a missing path': '{{nowhere.at.all}}', 'mixed template': 'a {{wrong.number}} b' },
  ...{
    'bad template': '{{#each wrong.list}}',
    'unknown helper': '{{nothing "x"}}',
    prototypes: '{{__proto__.polluted}}',
  },
  ...{
    __proto: '__proto__',
    'path to a prototype': '__proto__.polluted',
    constructors: 'constructor.prototype.polluted',
  },
  ...{
    'polluting json': polluting,
    'control characters': '\u0000\u0007\u001b[31m\r\n\t',
    'lone surrogate': 'a\ud800b',
  },
  ...{
    long,
    deep: deep(300),
    'deep path': Array(3_000).fill('a').join('.'),
    'deep json': `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  },
  ...{
    bomb: `{{#each wrong.many}}${'y'.repeat(5_000)}{{/each}}`,
    pattern: '^(a+)+$',
    query: '{"$where": "1"}',
    dots: '../../../etc/passwd',
  },
})

/** A loop of loops: it runs into the limit of steps, which takes a moment. */
export const loops = `${'{{#each @root.wrong.many}}'.repeat(6)}x${'{{/each}}'.repeat(6)}`

/** Values for a place of a payload. */
export const shapes: readonly Raw[] = named({
  ...{
    missing,
    null: null,
    text: 'some text',
    'empty text': '',
    'list of nothing': [],
    list: [1, null, 'x', { a: 1 }],
  },
  ...{
    object: {},
    'polluting object': JSON.parse(polluting),
    'huge number': 1e308,
    'tiny number': -5e-324,
    true: true,
  },
  ...{ date: new Date(Number.NaN), deep: deep(300), long, 'lone surrogate': 'a\ud800b', zero: '\u0000' },
})

function named(values: Record<string, unknown>): Raw[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }))
}

/** A copy of an object with a key of it set, or taken away for `missing`. */
export function withKey(base: object, key: string, value: unknown): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...base }
  if (value === missing) delete copy[key]
  else Object.defineProperty(copy, key, { value, enumerable: true, configurable: true, writable: true })
  return copy
}
