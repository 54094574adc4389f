import { template } from '../../engine/fields.ts'
import { bodyOf } from '../body.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'
import { toTags } from '../tag-pairs.ts'
import { deviceFields, givenAttributes, givenDeviceFields } from './device-fields.ts'

export const deviceCreate = defineNode({
  type: 'device-create',
  aliases: ['CreateDeviceNode'],
  group: 'device',
  title: 'Device: Create',
  summary: 'Makes a device, from a recipe or from its own fields.',
  outputs: ['next'],
  notIn: ['customNode'],
  needs: ['devices'],
  config: {
    ...deviceFields,
    recipe: template({
      key: 'recipeIdTemplate',
      label: 'Recipe',
      help: 'The device begins as it says; what is given here stands before that. Empty: none.',
    }),
  },
  examples: [
    {
      title: 'A device of a site',
      config: {
        nameTemplate: '{{data.body.name}}',
        deviceTags: [{ keyTemplate: 'group', valueTemplate: '{{data.body.group}}' }],
        deviceAttributes: [{ nameTemplate: 'voltage', dataTypeTemplate: 'number' }],
        resultPath: 'working.device',
      },
      payload: { data: { body: { name: 'Generator 9', group: '6521f7b20c1d4e8a9b3c5d72' } } },
    },
  ],
  async run({ config, use }) {
    const { tagsAsObject, attributesAsObject, tags, recipe } = config
    const attributes = givenAttributes(config)
    const create = () => {
      const given = bodyOf(config) ?? {
        ...givenDeviceFields(config),
        ...(tags.length > 0 ? { tags: toTags(tags) } : {}),
        ...(attributes.length > 0 ? { attributes } : {}),
      }
      const body = recipe.trim() === '' ? given : { ...given, recipeId: recipe.trim() }
      return use.devices.create(body, { tagsAsObject, attributesAsObject })
    }
    config.result.write(await orError(create))
  },
})
