import { expect, test } from 'vitest'
import { realmUrl } from '../../../engine/sandbox/realm-url.ts'

const made = realmUrl() as { URL: typeof URL; URLSearchParams: typeof URLSearchParams }
const parts = (url: URL) => ({
  ...Object.fromEntries(
    (['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port'] as const).map((k) => [
      k,
      url[k],
    ]),
  ),
  rest: [url.pathname, url.search, url.hash, JSON.stringify(url)],
})

test.each([
  ['https://example.com'],
  ['HTTP://User:pa%20ss@Example.com:80/a/../b/./c?x=1&y=a b#frag ment'],
  ['https://example.com:8443/%7Ea/ä?q=ä&"\'#ü'],
  ['https://[::1]:3000/'],
  ['mailto:a@example.com'],
  ['file:///tmp/a'],
  ['https:\\\\example.com\\a'],
  ['/root?x#y', 'https://example.com/a/b?c'],
  ['../up', 'https://example.com/a/b/c'],
  ['?only', 'https://example.com/a/b?c#d'],
  ['#only', 'https://example.com/a/b?c#d'],
  ['//other.com/x', 'https://example.com/a'],
  ['https://example.com/a/..'],
])('reads %s as Node does', (input, base?: string) => {
  expect(parts(new made.URL(input, base))).toEqual(parts(new URL(input, base)))
})

test.each([[''], ['nonsense'], ['/a'], ['http://'], ['http://a:99999'], ['http://a b']])('refuses "%s"', (input) => {
  expect(() => new made.URL(input)).toThrow(TypeError)
  expect(made.URL.canParse(input)).toBe(false)
})

test('search parameters write back to the URL', () => {
  const each = [made, { URL, URLSearchParams }].map(({ URL: Url, URLSearchParams: Params }) => {
    const url = new Url('https://example.com/?a=1&a=2&b=x+y')
    url.searchParams.append('c', '& =~*é')
    url.searchParams.set('a', '3')
    url.searchParams.delete('b')
    const params = new Params({ z: '1', y: '%' })
    params.sort()
    return [url.href, [...url.searchParams], String(params), params.get('none'), new Params('x=%zz').get('x')]
  })
  expect(each[0]).toEqual(each[1])
})
