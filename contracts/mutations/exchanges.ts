import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  NotFoundSchema,
  ReceivedSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Mutation } from './mutation.ts';
import { each, type Frames, lost } from './streams.ts';

function onStream(name: string, stream: (frames: Frames) => Frames): Mutation {
  return { name, breaks: true, stream };
}

function ofAgent(name: string, agent: (answer: ConnectRequest) => ConnectRequest): Mutation {
  return { name, breaks: true, agent };
}

/** Answers that stand by themselves as before, and are none to what was asked. */
export const EXCHANGE_MUTATIONS: readonly Mutation[] = [
  onStream('leave heartbeats of agents unanswered', lost('heartbeatReply')),
  onStream(
    'answer heartbeats of agents with a number of one’s own',
    each((frame) =>
      frame.case === 'heartbeatReply'
        ? { ...frame, value: { ...frame.value, number: frame.value.number + 1n } }
        : frame,
    ),
  ),
  onStream(
    'answer heartbeats of agents without a time',
    each((frame) =>
      frame.case === 'heartbeatReply' ? { case: 'heartbeatReply', value: { number: frame.value.number } } : frame,
    ),
  ),
  onStream('forget to acknowledge venue events', lost('venueEventsAcknowledged')),
  onStream(
    'acknowledge venue events by their journal alone',
    each((frame) =>
      frame.case === 'venueEventsAcknowledged' ? { ...frame, value: { ...frame.value, numbers: [] } } : frame,
    ),
  ),
  onStream('say nothing to who wants prices that nobody has', lost('prices')),
  onStream(
    'welcome without the time of the hello',
    each((frame) => {
      if (frame.case !== 'welcome') return frame;
      const { helloTime: _, ...value } = frame.value;
      return { case: 'welcome', value };
    }),
  ),
  ofAgent('answer heartbeats of the platform with a number of one’s own', ({ frame }) =>
    create(ConnectRequestSchema, {
      frame: frame.case === 'heartbeatReply' ? { ...frame, value: { number: 99n } } : frame,
    }),
  ),
  ofAgent('say of what is at the venue that it was never found', (answer) => {
    const { frame } = answer;
    if (frame.case === 'events')
      for (const event of frame.value.events) event.event = { case: 'notFound', value: create(NotFoundSchema) };
    return answer;
  }),
  ofAgent('say of what never came that it was received', (answer) => {
    const { frame } = answer;
    if (frame.case !== 'events') return answer;
    for (const event of frame.value.events)
      if (event.event.case === 'notFound') event.event = { case: 'received', value: create(ReceivedSchema) };
    return answer;
  }),
  {
    name: 'answer what is asked with more than was known',
    breaks: false,
    agent: (answer) => {
      const { frame } = answer;
      if (frame.case === 'events') for (const event of frame.value.events) event.age = durationFromMs(5);
      return answer;
    },
  },
];
