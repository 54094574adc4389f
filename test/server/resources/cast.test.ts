import { describe, expect, test } from 'vitest'
import { castState } from '../../../server/resources/cast.ts'
import { checkPassword, hashPassword } from '../../../server/resources/passwords.ts'

describe('a reported value', () => {
  test.each<[Parameters<typeof castState>[1], unknown, unknown]>([
    ['number', 1.5, 1.5],
    ['number', ' -1e3 ', -1000],
    ['number', '.5', 0.5],
    ['number', '0x10', undefined],
    ['number', '1,5', undefined],
    ['number', Number.NaN, undefined],
    ['number', Number.POSITIVE_INFINITY, undefined],
    ['number', true, undefined],
    ['number', null, undefined],
    ['boolean', true, true],
    ['boolean', 'False', false],
    ['boolean', 1, true],
    ['boolean', '0', false],
    ['boolean', 2, undefined],
    ['boolean', 'yes', undefined],
    ['string', 'a b ', 'a b '],
    ['string', 12, '12'],
    ['string', {}, undefined],
    ['string', 'x'.repeat(65_537), undefined],
    ['gps', '48.2082,16.3738', '48.2082,16.3738'],
    ['gps', ' -48.2 , +16 ', '-48.2,16'],
    ['gps', '91,0', undefined],
    ['gps', '0,181', undefined],
    ['gps', '1', undefined],
    ['gps', '1,2,3', undefined],
    ['gps', '48°12\'30"N 16°22\'12"E', '48.20833333,16.37'],
    ['gps', "48° 12.5' S, 16° 30' W", '-48.20833333,-16.5'],
    ['gps', '48°61\'0"N 16°22\'12"E', undefined],
    ['gps', '$GPGLL,4916.45,N,12311.12,W,225444,A,*1D', '49.27416667,-123.18533333'],
    ['gps', '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47', '48.1173,11.51666667'],
    ['gps', '$GPRMC,1,2,3,4,5', undefined],
    ['blob', 'aGVsbG8=', 'aGVsbG8='],
    ['blob', 'no base64!', undefined],
  ])('as %s: %j', (type, value, expected) => {
    expect(castState(value, type)).toEqual(expected)
  })
})

describe('a password', () => {
  test('is kept as argon2id with a salt of its own and fits only itself', async () => {
    const hash = await hashPassword('pässword')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[^$]{43}$/)
    expect(await hashPassword('pässword')).not.toBe(hash)
    expect(await checkPassword('pässword', hash)).toBe(true)
    expect(await checkPassword('password', hash)).toBe(false)
  })

  test.each([
    ['nothing', undefined],
    ['another scheme', '$2b$10$abcdefghijklmnopqrstuv'],
    ['garbage', 'x'],
  ])('never fits %s', async (_name, hash) => {
    expect(await checkPassword('', hash)).toBe(false)
    expect(await checkPassword('password', hash)).toBe(false)
  })
})
