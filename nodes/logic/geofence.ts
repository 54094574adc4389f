import { choice, path, read, template, value } from '../../engine/fields.ts'
import { distanceOf, isInside, type Point, parsePoint } from '../../engine/helpers/gps.ts'
import { MOST_ITEMS, takeTurns } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { readGps } from '../gps-text.ts'

export const geofence = defineNode({
  type: 'geofence',
  aliases: ['GeofenceNode'],
  group: 'logic',
  title: 'Geofence',
  summary: 'Takes one of two ways by whether a place lies inside a circle or a polygon.',
  outputs: ['outside', 'inside'],
  needs: [],
  config: {
    check: choice({
      key: 'checkType',
      label: 'Inside of',
      help: 'A circle around the center, corners that are written here, or corners on the payload.',
      of: ['radius', 'polygonCoords', 'polygon'],
    }),
    place: value({ key: 'gpsCheck', label: 'Place', help: 'Such as 48.2,16.37.' }),
    center: value({ key: 'gpsCenter', label: 'Center', help: 'Of the circle, written as the place.' }),
    // A text, not a number: what is no number is a fence that cannot be computed.
    radius: template({ key: 'radius', label: 'Radius in metres', help: 'A place at exactly this distance is inside.' }),
    lines: template({ key: 'polygonCoords', label: 'Corners', help: 'One a line.' }),
    corners: read({
      key: 'polygonPath',
      label: 'List of corners',
      help: 'At least three places: texts, pairs of numbers, or objects with latitude and longitude.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Metres, or inside',
      help: 'Metres to the center, or whether the place lies in the polygon; nothing is put where it cannot be computed.',
      writes: true,
    }),
    branch: path({
      key: 'branchPath',
      label: 'Result',
      help: 'True where the place is inside, else false.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Within a kilometre of the site',
      config: { gpsCheck: '{{data.place}}', gpsCenter: '48.2,16.37', radius: '1000', branchPath: 'working.onSite' },
      payload: { data: { place: '48.205,16.371' } },
      output: 'inside',
      result: { data: { place: '48.205,16.371' }, working: { onSite: true } },
    },
    {
      title: 'No place',
      config: { gpsCheck: '{{data.place}}', gpsCenter: '48.2,16.37', radius: '1000', resultPath: 'working.metres' },
      payload: { data: { place: 'nowhere' } },
      output: 'outside',
      result: { data: { place: 'nowhere' } },
    },
  ],
  async run({ config, signal }) {
    const place = pointOf(config.place)
    const found =
      place &&
      (config.check === 'radius'
        ? inCircle(place, config)
        : inPolygon(place, await cornersOf(config, takeTurns(signal))))
    if (found !== undefined) config.result.write(found.result)
    const inside = found?.inside ?? false
    config.branch.write(inside)
    return inside ? 'inside' : 'outside'
  },
})

const CORNERS_AT_ONCE = 1_000

interface Found {
  inside: boolean
  result: number | boolean
}

/** Undefined where it cannot be computed. */
function inCircle(place: Point, { center, radius }: { center: unknown; radius: string }): Found | undefined {
  const middle = pointOf(center)
  const most = radius.trim() === '' ? Number.NaN : Number(radius)
  if (middle === undefined || !(most >= 0)) return undefined
  const metres = distanceOf(place, middle)
  return { inside: metres <= most, result: metres }
}

function inPolygon(place: Point, corners: Point[] | undefined): Found | undefined {
  if (corners === undefined || corners.length < 3) return undefined
  const inside = isInside(place, corners)
  return { inside, result: inside }
}

/** Undefined when one of them is no place. */
async function cornersOf(
  { check, lines, corners }: { check: string; lines: string; corners: unknown },
  turn: () => Promise<void> | undefined,
): Promise<Point[] | undefined> {
  const given = check === 'polygon' ? corners : lines.split('\n').filter((line) => line.trim() !== '')
  if (!Array.isArray(given) || given.length > MOST_ITEMS) return undefined
  const points: Point[] = []
  for (const [index, one] of given.entries()) {
    if (index % CORNERS_AT_ONCE === 0) await turn()
    const point = pointOf(one)
    if (point === undefined) return undefined
    points.push(point)
  }
  return points
}

function pointOf(given: unknown): Point | undefined {
  return (typeof given === 'string' ? readGps(given) : undefined) ?? parsePoint(given)
}
