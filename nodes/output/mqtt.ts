import { FlowError } from '../../engine/errors.ts'
import { template, text } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { Refusal } from '../services/listing.ts'

export const mqtt = defineNode({
  type: 'mqtt',
  aliases: ['MqttMessageNode'],
  group: 'output',
  title: 'MQTT',
  summary: 'Publishes a message to the devices and flows that listen to a topic.',
  outputs: ['next'],
  needs: ['mqtt'],
  config: {
    broker: text({
      key: 'integrationId',
      label: 'Broker',
      help: 'losant: that of the application, the only one there is.',
    }),
    topic: template({
      key: 'topicTemplate',
      label: 'Topic',
      help: 'Where it is published; one of a device counts as sent by that device.',
      required: true,
    }),
    message: template({ key: 'messageTemplate', label: 'Message', help: 'At most 256 KB of text.' }),
  },
  examples: [
    {
      title: 'Tell all displays',
      config: { integrationId: 'losant', topicTemplate: 'displays/{{data.floor}}', messageTemplate: '{{data.text}}' },
      payload: { data: { floor: 2, text: 'Closed' } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const { broker, topic, message } = config
    if (broker !== '' && broker !== 'losant') {
      throw new FlowError(
        'mqtt.refused',
        'Expected "Broker" to be losant, got another broker. Those are not supported.',
      )
    }
    try {
      await use.mqtt.publish({ topic, message })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      throw new FlowError('mqtt.refused', error.message, { cause: error })
    }
  },
})
