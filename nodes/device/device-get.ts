import { FlowError } from '../../engine/errors.ts'
import { choice, flag, json, lazy, path, template, values } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { foundOf, pageOf, pagingFields } from '../paging.ts'
import { orError } from '../refusal.ts'
import type { DeviceCriteria } from '../services/devices.ts'
import { tagPairs, toCriteria } from '../tag-pairs.ts'
import { attributeNames } from './attribute-names.ts'

const methods = [
  'id',
  'name',
  'findByAllTags',
  'findByAnyTags',
  'findByParentId',
  'experienceGroupId',
  'experienceUserIdOrEmail',
  'query',
  // An older name of findByAllTags.
  'tags',
] as const

export const deviceGet = defineNode({
  type: 'device-get',
  aliases: ['GetDeviceNode'],
  group: 'device',
  title: 'Device: Get',
  summary: 'Puts one device, or many, on the payload.',
  outputs: ['next'],
  needs: ['devices'],
  config: {
    ...pagingFields,
    method: choice({
      key: 'findMethod',
      label: 'Find by',
      help: 'By tags, parent, group, user or query there may be many.',
      of: methods,
    }),
    subject: template({
      key: 'idTemplate',
      label: 'Id, name, group or user',
      help: 'What is meant by "Find by": a device, its name, a group, or the id or e-mail address of a user.',
    }),
    tags: tagPairs('tags', { find: true }),
    parent: template({
      key: 'parentIdTemplate',
      label: 'Parent',
      help: 'Id of the system device, for findByParentId.',
    }),
    query: lazy(
      json({
        key: 'queryTemplate',
        label: 'Query',
        help: 'A device query, such as {"name": {"$startsWith": "Pump"}}. Blank: all devices.',
      }),
    ),
    connection: flag({
      key: 'includeConnectionStatus',
      label: 'With connection',
      help: 'Adds connectionInfo.',
      default: true,
    }),
    state: flag({
      key: 'includeState',
      label: 'With state',
      help: 'Adds compositeState: the last value and time of each attribute.',
    }),
    attributes: values({
      key: 'attributes',
      label: 'Attributes',
      help: 'Names of the attributes whose state is wanted; none: all.',
    }),
    tagsAsObject: flag({
      key: 'tagsAsObject',
      label: 'Tags as object',
      help: 'Tags as an object of lists by key, instead of a list of pairs.',
    }),
    attributesAsObject: flag({
      key: 'attributesAsObject',
      label: 'Attributes as object',
      help: 'Attributes as an object by name, instead of a list.',
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'A device that does not exist is null; a query that is not valid gives { error }.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'All devices of the user who asks',
      config: {
        findMethod: 'experienceUserIdOrEmail',
        idTemplate: '{{experience.user.id}}',
        findMultiple: true,
        resultPath: 'working.devices',
      },
      payload: { experience: { user: { id: '6521f7b20c1d4e8a9b3c5d70' } } },
    },
  ],
  async run({ config, use }) {
    const { connection, attributesAsObject, tagsAsObject, method } = config
    const names = attributeNames(config.attributes)
    const state = config.state ? (names.length > 0 ? names : (true as const)) : undefined
    const shape = { includeConnectionInfo: connection, attributesAsObject, tagsAsObject, state }
    const single = method === 'id' || method === 'name'
    const paging = { ...config, findMultiple: config.findMultiple && !single }
    const found = await orError(use.devices.find(criteriaOf(config), pageOf(paging), shape))
    config.result.write('error' in found ? found : foundOf(found, paging))
  },
})

function criteriaOf(config: {
  method: (typeof methods)[number]
  subject: string
  tags: { key: string; value: string | undefined }[]
  parent: string
  query: () => unknown
}): DeviceCriteria {
  const { method, subject } = config
  switch (method) {
    case 'id':
      if (subject.trim() === '') {
        throw new FlowError(
          'config.empty',
          'Expected the id of a device, got nothing. Check the template and the payload.',
        )
      }
      return { by: 'id', id: subject.trim() }
    case 'name':
      return { by: 'name', name: subject }
    case 'findByAllTags':
    case 'tags':
      return { by: 'allTags', tags: toCriteria(config.tags) }
    case 'findByAnyTags':
      return { by: 'anyTags', tags: toCriteria(config.tags) }
    case 'findByParentId':
      return { by: 'parent', parentId: config.parent.trim() }
    case 'experienceGroupId':
      return { by: 'group', groupId: subject.trim() }
    case 'experienceUserIdOrEmail':
      return { by: 'user', idOrEmail: subject.trim() }
    case 'query':
      return { by: 'query', query: config.query() }
  }
}
