import { expect, test } from 'vitest'
import { compileExpression } from '../../engine/expression.ts'
import { openTemplates } from '../../engine/template.ts'

const templates = openTemplates()
const time = new Date(1_000_000)
const list = [1, 'a']
const root = {
  n: 5,
  numeric: '36.5',
  word: 'hey',
  quoted: `it's "<`,
  no: false,
  nothing: null,
  time,
  same: new Date(1_000_000),
  list,
  none: [],
  object: { k: 1 },
  page: '1',
  odd: { valueOf: 1, toString: 2 },
}

const evaluate = (source: string) => compileExpression(source, templates)(root)

test.each<[string, unknown]>([
  // Literals and constants.
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1e3', 1000],
  ['2E-2', 0.02],
  [`'a\\'b\\n\\u0041\\\\'`, "a'b\nA\\"],
  ['"x"', 'x'],
  ["''", ''],
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
  ['E', Math.E],
  ['PI', Math.PI],
  // Operands keep their type.
  ['{{n}}', 5],
  ['{{{n}}}', 5],
  ['{{list}}', list],
  ['{{missing}}', undefined],
  ['{{missing.deep}}', undefined],
  ['{{time}}', time],
  ['{{add n 1}}', 6],
  ['{{lookup object "k"}}', 1],
  [`{{format n '0.2f'}}`, '5.00'],
  [`{{defaultTo missing '}}'}}`, '}}'],
  ['{{ n }}\n  + 1', 6],
  // Quoted text with mustaches is rendered, unescaped.
  ['"a{{n}}b"', 'a5b'],
  ['"{{quoted}}"', `it's "<`],
  [`'{{lookup object 'k'}}'`, '1'],
  ['"{{missing}}"', ''],
  ['"{{"', '{{'],
  // + is numeric; only text that is no number joins.
  ['1 + 2', 3],
  ['{{numeric}} + 1', 37.5],
  ['0 + {{numeric}}', 36.5],
  ["'1' + '2'", 3],
  ["'a' + 1", 'a1'],
  ["{{word}} + ' ' + {{word}}", 'hey hey'],
  ["{{missing}} + 'x'", 'x'],
  ['{{missing}} + 1', Number.NaN],
  ['{{nothing}} + 1', 1],
  ["'' + 1", 1],
  ['{{time}} + 1', 1_000_001],
  ['{{object}} + 1', Number.NaN],
  ['true + 1', 2],
  // Arithmetic.
  ['7 - 2 - 1', 4],
  ['2 * 3 + 4', 10],
  ['2 + 3 * 4', 14],
  ['(2 + 3) * 4', 20],
  ['8 / 4 / 2', 1],
  ['7 % 4', 3],
  ['1 / 0', Number.POSITIVE_INFINITY],
  ['2 ^ 3 ^ 2', 512],
  ['-2 ^ 2', -4],
  ['(-2) ^ 2', 4],
  ['2 ^ -1', 0.5],
  ['2 * 3 ^ 2', 18],
  ['1 - -1', 2],
  ['- -1', 1],
  ["+'3'", 3],
  ["-'3'", -3],
  ['-{{missing}}', Number.NaN],
  ['+{{nothing}}', 0],
  ['{{missing}} * 2', Number.NaN],
  ['{{nothing}} * 2', 0],
  ["'x' - 1", Number.NaN],
  ["'' * 5", 0],
  ["' 4 ' / 2", 2],
  ['{{list}} * 1', Number.NaN],
  ['0 / 0', Number.NaN],
  ['7 % 0', Number.NaN],
  ['-7 % 4', -3],
  ["'9' ^ '0.5'", 3],
  ['2 + 3 - 1 + 4', 8],
  ['12 / 2 * 3 % 4', 2],
  ['2 ^ 2 * 3', 12],
  ['- 2 * - 3', 6],
  ['1.5e3 + 0', 1500],
  ['{{n}} - {{time}}', -999_995],
  ['1 << 3', 8],
  ['-8 >> 1', -4],
  ['1 + 1 << 2', 8],
  ['1 << 2 < 5', true],
  // Equality.
  ["'0' === 0", false],
  ["'0' == 0", true],
  ['0 == false', true],
  ['null == undefined', true],
  ['null === undefined', false],
  ['{{missing}} == null', true],
  ['{{nothing}} == 0', false],
  ['{{page}} === 1', false],
  ['{{page}} == 1', true],
  ['{{missing}} !== undefined', false],
  ['{{n}}!==null', true],
  ["'a' != 'b'", true],
  ['{{time}} === {{time}}', true],
  ['{{time}} == 1000000', true],
  ['{{list}} == "1,a"', true],
  ['{{odd}} == 1', false],
  ['{{object}} == {{object}}', true],
  ['{{object}} == {{odd}}', false],
  ['{{time}} == {{same}}', false],
  ['{{time}} >= {{same}}', true],
  ["'' == 0", true],
  ["'' === 0", false],
  ['{{missing}} == 0', false],
  ['{{missing}} == false', false],
  ['{{missing}} === {{gone}}', true],
  ['{{missing}} != {{nothing}}', false],
  ["'true' == true", false],
  ['1 == true', true],
  ['0 / 0 == 0 / 0', false],
  ["{{numeric}} == '36.50'", false],
  ['{{numeric}} == 36.50', true],
  ['1 == 1 == 1', true],
  // Order.
  ["'10' < '9'", true],
  ["'10' < 9", false],
  ['{{numeric}} > 36', true],
  ['{{missing}} < 1', false],
  ['{{missing}} >= 1', false],
  ["'a' < 1", false],
  ['{{time}} > 900000', true],
  ["{{formatDate time 'X'}} < {{add 1000 10}}", true],
  ['2 >= 2', true],
  ['1 <= 0', false],
  ['3 > 2 == true', true],
  ["'a' < 'b'", true],
  ["'Z' < 'a'", true],
  ["'' < 'a'", true],
  ['null >= 0', true],
  ['null > 0', false],
  ['true < 2', true],
  ['{{nothing}} <= {{missing}}', false],
  ['{{list}} > 0', false],
  ['{{object}} > 0', false],
  ["'5' > 3 && '5' > '30'", true],
  ['{{time}} < {{same}}', false],
  ['1 < 2 < 3', true],
  ['3 > 2 > 1', false],
  // Logic gives an operand and stops early.
  ["0 || 'x'", 'x'],
  ["1 && 'x'", 'x'],
  ["0 && 'x'", 0],
  ['true || false && false', true],
  ['1 == 1 && 2 == 2', true],
  ['!{{missing}}', true],
  ['!!{{list}}', true],
  ['!{{n}} === false', true],
  ['!(1 > 2)', true],
  ["'' || 0 || {{nothing}}", null],
  ["{{list}} && 'x'", 'x'],
  ["{{none}} && 'x'", 'x'],
  ['1 && 2 || 3', 2],
  ['0 || 1 && 2', 2],
  ["!'' && !0 && !{{nothing}} && !(0 / 0)", true],
  ["!'false'", false],
  ['!{{none}}', false],
  ['!{{n}} + 1', 1],
  // Functions.
  ['abs(-1)', 1],
  ["ceil('1.2') + floor(1.8) + round(1.5) + trunc(-1.5)", 4],
  ['sqrt(9) + log10(100) + log(E) + exp(0)', 7],
  ['pow(2, 10)', 1024],
  ['tan(0) + asin(0) + acos(1) + atan(0)', 0],
  ['sinh(0) + asinh(0) + acosh(1) + atanh(0)', 0],
  ['cosh(0)', 1],
  ['sin(PI / 2)', 1],
  ['log(E ^ 2)', 2],
  ['sqrt(-1)', Number.NaN],
  ["abs('-2.5')", 2.5],
  ['abs({{missing}})', Number.NaN],
  ['abs()', Number.NaN],
  ['abs({{nothing}})', 0],
  ['abs({{time}})', 1_000_000],
  ['ceil(-1.2) + floor(-1.2) + trunc(-1.2)', -4],
  ['round(-1.5)', -1],
  ['round(2.567 * 100) / 100', 2.57],
  ['min(1, {{missing}})', Number.NaN],
  ["max(1, '7', {{nothing}})", 7],
  ['length({{none}})', 0],
  ['length({{n}})', undefined],
  ['length({{time}})', undefined],
  ['length({{nothing}})', undefined],
  ['min(2, 1) + max(1, 2)', 3],
  ['atan2(0, 1) + sin(0) + cos(0) + tanh(0)', 1],
  ['length({{list}})', 2],
  ["length('abc')", 3],
  ['length({{object}})', 1],
  ['length({{missing}}) === 1', false],
  ["includes({{list}}, 'a')", true],
  ["includes({{word}}, 'ey')", true],
  ['includes({{object}}, 1)', true],
  ['includes({{missing}}, 1)', false],
  ["includes({{list}}, '1')", false],
  ["includes({{object}}, 'k')", false],
  ['includes({{n}}, 5)', false],
  ['includes({{word}}, {{missing}})', false],
  ["includes('a5', 5)", true],
  ['max(1, (2 + 3) * 2)', 10],
  ['round({{n}} / 2)', 3],
])('%s is %j', (source, value) => {
  expect(evaluate(source)).toEqual(value)
})

test.each([
  '',
  '  ',
  '1 +',
  '+',
  '1 2',
  '(1',
  '1)',
  'foo',
  'value > 80',
  'n.a',
  'f(1)',
  'abs',
  'abs(1',
  'abs(1 2)',
  'constructor',
  'constructor(1)',
  '__proto__(1)',
  "'open",
  '{{open',
  'a = 1',
  '1 ? 2 : 3',
  '1 & 2',
  '1 | 2',
  '/x/',
  '`x`',
  '{{n}}.toString()',
  '[1]',
  '1;2',
])('refuses %j', (source) => {
  expect(() => evaluate(source)).toThrow(expect.objectContaining({ code: 'expression.syntax' }))
})

test.each(['{{#if n}}1{{/if}}', '{{nosuch n}}', '{{n', '{{}}', '{{a.0}}'])('refuses the mustache in %j', (source) => {
  expect(() => evaluate(`${source} == 1`)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(template|expression)\.syntax$/) }),
  )
})

test('what stands after && and || is only looked at when it counts', () => {
  expect(evaluate("0 && {{format n 'nonsense!'}}")).toBe(0)
  expect(evaluate("1 || {{format n 'nonsense!'}}")).toBe(1)
  expect(() => evaluate("1 && {{format n 'nonsense!'}}")).toThrow(expect.objectContaining({ code: 'template.helper' }))
})

test('says what was expected, and where', () => {
  expect(() => evaluate('1 + * 2')).toThrow('Expected a value, got "* 2" at character 5 of "1 + * 2".')
})

test.each([
  ['parentheses', `${'('.repeat(5000)}1${')'.repeat(5000)}`],
  ['signs', `${'-'.repeat(5000)}1`],
  ['powers', `1${'^1'.repeat(2000)}`],
  ['calls', `${'abs('.repeat(3000)}1${')'.repeat(3000)}`],
  ['terms', `1${'+1'.repeat(5000)}`],
  ['length', `'${'x'.repeat(40_000)}'`],
])('refuses too much of %s', (_, source) => {
  expect(() => evaluate(source)).toThrow(expect.objectContaining({ code: 'expression.syntax' }))
})

test('fails for text that grows beyond its limit', () => {
  const big = { big: 'x'.repeat(3_000_000) }
  expect(() => compileExpression('{{big}} + {{big}}', templates)(big)).toThrow(
    expect.objectContaining({ code: 'template.limit' }),
  )
})

test('spends from one budget for all its operands', () => {
  const small = openTemplates({ limits: { steps: 10 } })
  const source = Array.from({ length: 8 }, () => '{{add n 1}}').join(' + ')
  expect(compileExpression('{{add n 1}} + {{add n 1}}', small)(root)).toBe(12)
  expect(compileExpression(source, small)(root)).toBe(48)
  const more = Array.from({ length: 11 }, () => '{{add n 1}}').join(' + ')
  expect(() => compileExpression(more, small)(root)).toThrow(expect.objectContaining({ code: 'template.limit' }))
})
