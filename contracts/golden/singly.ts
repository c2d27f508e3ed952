import type { ConnectRequest, ConnectResponse } from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';

/** How many events share a frame is chance: a frame for each. */
export function eventsSingly(message: ConnectRequest): ConnectRequest[] {
  const { frame } = message;
  if (frame.case !== 'events') return [message];
  return frame.value.events.map((event) => ({
    ...message,
    frame: { case: 'events', value: { ...frame.value, events: [event] } },
  }));
}

/** How many commands and ids share a frame is chance: a frame for each. */
export function commandsSingly(message: ConnectResponse): ConnectResponse[] {
  const { frame } = message;
  switch (frame.case) {
    case 'commands':
      return frame.value.commands.map((command) => ({
        ...message,
        frame: { case: 'commands', value: { ...frame.value, commands: [command] } },
      }));
    case 'cancels':
      return frame.value.commandIds.map((id) => ({
        ...message,
        frame: { case: 'cancels', value: { ...frame.value, commandIds: [id] } },
      }));
    case 'eventsAcknowledged':
      return frame.value.commandIds.map((id) => ({
        ...message,
        frame: { case: 'eventsAcknowledged', value: { ...frame.value, commandIds: [id] } },
      }));
    case 'inquiry':
      return frame.value.commandIds.map((id) => ({
        ...message,
        frame: { case: 'inquiry', value: { ...frame.value, commandIds: [id] } },
      }));
    default:
      return [message];
  }
}
