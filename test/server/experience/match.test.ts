import { describe, expect, test } from 'vitest'
import { HttpError } from '../../../server/errors.ts'
import { compileRouter, routeConflicts } from '../../../server/experience/match.ts'

const routes = [
  '/{any*}',
  '/',
  '/login',
  '/users/{id}',
  '/users/new',
  '/users/{id}/edit',
  '/devices/{deviceId?}',
  '/static/{path*}',
  '/files/{name}.csv',
  '/files/{name}',
  '/files/report-{year}-{month}.csv',
  '/a/{x}/c',
  '/a/b/{y}/d',
  '/café',
  '/{tenant}/home',
]

const table: [path: string, route: string, params: Record<string, string>][] = [
  ['/', '/', {}],
  ['/login', '/login', {}],
  ['/login/', '/login', {}],
  ['/Login', '/{any*}', { any: 'Login' }],
  ['/users/new', '/users/new', {}],
  ['/users/7', '/users/{id}', { id: '7' }],
  ['/users/7/', '/users/{id}', { id: '7' }],
  ['/users/a%2Fb%20c', '/users/{id}', { id: 'a/b c' }],
  ['/users/new/edit', '/users/{id}/edit', { id: 'new' }],
  ['/users', '/{any*}', { any: 'users' }],
  ['/users//edit', '/{any*}', { any: 'users//edit' }],
  ['/devices', '/devices/{deviceId?}', {}],
  ['/devices/', '/devices/{deviceId?}', {}],
  ['/devices/d1', '/devices/{deviceId?}', { deviceId: 'd1' }],
  ['/devices/d1/x', '/{any*}', { any: 'devices/d1/x' }],
  ['/static', '/static/{path*}', { path: '' }],
  ['/static/css/a.css', '/static/{path*}', { path: 'css/a.css' }],
  ['/static/../secret', '/static/{path*}', { path: '../secret' }],
  ['/files/a.csv', '/files/{name}.csv', { name: 'a' }],
  ['/files/.csv', '/files/{name}', { name: '.csv' }],
  ['/files/a.txt', '/files/{name}', { name: 'a.txt' }],
  ['/files/report-2024-05.csv', '/files/report-{year}-{month}.csv', { year: '2024', month: '05' }],
  ['/a/b/c', '/a/{x}/c', { x: 'b' }],
  ['/a/b/c/d', '/a/b/{y}/d', { y: 'c' }],
  ['/caf%C3%A9', '/café', {}],
  ['/acme/home', '/{tenant}/home', { tenant: 'acme' }],
  ['/login/home', '/{tenant}/home', { tenant: 'login' }],
  ['/constructor', '/{any*}', { any: 'constructor' }],
  ['//evil.example', '/{any*}', { any: '/evil.example' }],
]

describe.each([
  ['as written', routes],
  ['reversed', routes.toReversed()],
])('with routes %s', (_, order) => {
  const router = compileRouter(order.map((route) => ({ method: 'get', route })))
  test.each(table)('%s goes to %s', (path, route, params) => {
    expect(router.match('get', path)).toEqual({ value: { method: 'get', route }, params })
  })
})

test('HEAD is served by GET, other methods by their own routes only', () => {
  const router = compileRouter([{ method: 'GET', route: '/a' }])
  expect(router.match('head', '/a')).toBeDefined()
  expect(router.match('post', '/a')).toBeUndefined()
  expect(router.match('propfind', '/a')).toBeUndefined()
  expect(router.match('get', '/b')).toBeUndefined()
})

test.each(['/users/%', '/users/%E0%A4%A', '/%zz'])('a path that cannot be decoded is refused: %s', (path) => {
  const router = compileRouter([{ method: 'get', route: '/{any*}' }])
  expect(() => router.match('get', path)).toThrow(HttpError)
})

test('a hostile path costs no more than the table is large', () => {
  const router = compileRouter(
    Array.from({ length: 200 }, (_, i) => ({ method: 'get', route: `/${'{p}/'.repeat(2)}x${i}/{q}` })).map(
      ({ method, route }) => ({ method, route: route.replace('{p}', '{p1}').replace('{p}', '{p2}') }),
    ),
  )
  const start = performance.now()
  expect(router.match('get', '/a'.repeat(8_000))).toBeUndefined()
  expect(performance.now() - start).toBeLessThan(1000)
})

const conflicts: [a: string, b: string, conflict: boolean][] = [
  ['/{a}', '/{b}', true],
  ['/users/{id}/x', '/users/{name}/x', true],
  ['/devices/{id?}', '/devices', true],
  ['/devices/{id?}', '/devices/{name?}', true],
  ['/{a*}', '/{b*}', true],
  ['/a/', '/a', true],
  ['/f-{a}.csv', '/f-{b}.csv', true],
  ['/users/{id}/x', '/users/{name}/y', false],
  ['/users/{id}', '/users/{rest*}', false],
  ['/users/{id}', '/users/new', false],
  ['/', '/{any*}', false],
  ['/a', '/A', false],
]
test.each(conflicts)('%s and %s: conflict is %s', (a, b, conflict) => {
  const endpoints = [
    { method: 'get', route: a },
    { method: 'GET', route: b },
  ]
  const problems = routeConflicts(endpoints)
  expect(problems.map((one) => [one.code, one.endpoints])).toEqual(conflict ? [['route.conflict', endpoints]] : [])
  expect(routeConflicts([endpoints[0]!, { method: 'post', route: b }])).toEqual([])
})

test.each([
  'no-slash',
  '/a/{b',
  '/{a?}/b',
  '/{a*}/b',
  '/{a}/{a}',
  '/{a}{b}',
  '/{}',
  '/{__proto__}',
  `/${'x'.repeat(1024)}`,
])('a route that cannot be read is reported and left out: %s', (route) => {
  expect(routeConflicts([{ method: 'get', route }])).toMatchObject([{ code: 'route.syntax' }])
  const router = compileRouter([{ method: 'get', route }])
  expect(router.match('get', '/a/b')).toBeUndefined()
})
