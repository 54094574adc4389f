import { defineTrigger } from '../../engine/trigger.ts'

/** Its key is a topic of the application's own, in which `+` stands for one level and a last `#` for any number of them. */
export const mqttTopic = defineTrigger({
  type: 'mqtt-topic',
  aliases: ['mqttTopic'],
  title: 'MQTT Topic',
  summary: 'Starts a run when a device or a flow publishes to a topic; the message is the data, as text.',
  classes: ['cloud'],
  config: {},
})
