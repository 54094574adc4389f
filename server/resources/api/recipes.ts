import type { Payload } from '../../../engine/payload.ts'
import type { AttributeDefinition, RecipeDocument } from '../../store/documents/devices.ts'
import { readBody, refused, text } from '../check.ts'
import { deviceFields } from '../device-fields.ts'
import { tagsAsObject } from '../device-views.ts'
import { isoOf } from '../listing.ts'
import { refusing } from '../writing.ts'
import { type ApiWorld, anId, body, type Calls, call, found, needed, success, truth } from './call.ts'
import { commonSort, listOf, listParams } from './lists.ts'

const shapeParams = { tagsAsObject: truth, attributesAsObject: truth }
type Shape = { tagsAsObject?: boolean; attributesAsObject?: boolean }

const recipeFields = { ...deviceFields, deviceName: text(0, 255), deviceDescription: text(0, 32_767) }

function viewOf(world: ApiWorld, { id, name, description, template, ...dates }: RecipeDocument, shape: Shape) {
  // Imported and written templates were checked alike.
  const {
    tags = [],
    attributes = [],
    ...rest
  } = template as {
    tags?: { key: string; value: string }[]
    attributes?: AttributeDefinition[]
  }
  return {
    ...{ id, deviceRecipeId: id, applicationId: world.app.scope.application, name, description: description ?? '' },
    ...{ deviceClass: 'standalone', ...rest },
    tags: shape.tagsAsObject ? tagsAsObject(tags) : tags,
    attributes: shape.attributesAsObject
      ? Object.fromEntries(attributes.map(({ name: key, ...one }) => [key, one]))
      : attributes,
    ...{ creationDate: isoOf(dates.creationDate), lastUpdated: isoOf(dates.lastUpdated) },
  }
}

/** Of a body, what is kept of the recipe itself and what its devices get. Throws Refusal. */
function read(given: Payload) {
  const { name, description, ...template } = readBody(given, recipeFields, 'a device recipe')
  return { name, description, template: Object.fromEntries(Object.entries(template)) }
}

export const deviceRecipes: Calls = {
  get: call({ ...listParams, ...shapeParams }, async (world, params) => {
    return await listOf(world, 'recipes', {
      ...{ asked: params, filters: ['name'], sortFields: commonSort },
      view: (recipe) => viewOf(world, recipe, params),
    })
  }),
  post: call({ deviceRecipe: body, ...shapeParams }, async (world, { deviceRecipe: given, ...shape }) => {
    const { name, ...fields } = read(needed(given, 'deviceRecipe'))
    if (name === undefined) throw refused('name', 'text of 1 to 255 characters', undefined)
    return viewOf(world, await world.app.collection('recipes').insert({ name, ...fields }), shape)
  }),
}

export const deviceRecipe: Calls = {
  get: call({ deviceRecipeId: anId, ...shapeParams }, async (world, { deviceRecipeId, ...shape }) => {
    return viewOf(world, await existing(world, deviceRecipeId), shape)
  }),
  patch: call({ deviceRecipeId: anId, deviceRecipe: body, ...shapeParams }, async (world, params) => {
    const { deviceRecipeId, deviceRecipe: given, ...shape } = params
    const { template, ...own } = read(needed(given, 'deviceRecipe'))
    const before = await existing(world, deviceRecipeId)
    const fields = Object.entries(own).filter(([, value]) => value !== undefined)
    const change = { ...Object.fromEntries(fields), template: { ...before.template, ...template } }
    const update = world.app.collection('recipes').update(before.id, change)
    return viewOf(world, await refusing(update, 'The recipe exists already'), shape)
  }),
  delete: call({ deviceRecipeId: anId }, async (world, { deviceRecipeId }) => {
    await world.app.collection('recipes').remove((await existing(world, deviceRecipeId)).id)
    return success
  }),
}

async function existing({ app }: ApiWorld, id: string | undefined): Promise<RecipeDocument> {
  return found(await app.collection('recipes').get(needed(id, 'deviceRecipeId')), 'Device recipe')
}
