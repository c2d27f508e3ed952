import { create, type JsonValue } from '@bufbuild/protobuf';
import {
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { AlterFrame } from '../golden/candidate.ts';
import { isObject } from '../golden/frame.ts';
import { type Alter, renamed, set, without } from './alter.ts';
import type { Mutation } from './mutation.ts';
import { type FrameCase, type Frames, lost } from './streams.ts';

/** Alters every command of the platform's frames. */
function inCommands(alter: Alter): AlterFrame {
  return (json) => {
    const batch = json['commands'];
    const commands = isObject(batch) && Array.isArray(batch['commands']) ? batch['commands'] : [];
    for (const command of commands) if (isObject(command)) alter(command);
    return json;
  };
}

/** Alters one frame of the platform. */
function inFrame(name: string, alter: Alter): AlterFrame {
  return (json) => {
    const frame = json[name];
    if (isObject(frame)) alter(frame);
    return json;
  };
}

function inSnakeCase(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(inSnakeCase);
  if (!isObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [snake(key), inSnakeCase(value)]));
}

function snake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function breaking(name: string, frames: AlterFrame): Mutation {
  return { name, breaks: true, frames };
}

function harmless(name: string, frames: AlterFrame): Mutation {
  return { name, breaks: false, frames };
}

/** The first frame of that case is held until the next one has gone. */
function late(name: FrameCase) {
  return async function* (frames: Frames): AsyncGenerator<ConnectResponse> {
    let held: ConnectResponse | undefined;
    let done = false;
    for await (const frame of frames) {
      if (!done && held === undefined && frame.frame.case === name) {
        held = frame;
        continue;
      }
      yield frame;
      // A heartbeat comes when its time has come, between any two others.
      if (held !== undefined && frame.frame.case !== 'heartbeat') {
        yield held;
        held = undefined;
        done = true;
      }
    }
    if (held !== undefined) yield held;
  };
}

function twice(name: FrameCase) {
  return async function* (frames: Frames): AsyncGenerator<ConnectResponse> {
    for await (const frame of frames) {
      yield frame;
      if (frame.frame.case === name) yield frame;
    }
  };
}

/** A command of a kind that the agent never offered. */
async function* unasked(frames: Frames): AsyncGenerator<ConnectResponse> {
  for await (const frame of frames) {
    yield frame;
    if (frame.frame.case === 'welcome') {
      yield create(ConnectResponseSchema, {
        frame: { case: 'commands', value: { commands: [{ commandId: 'rebalance', attempt: 1 }] } },
      });
    }
  }
}

/** Changes of what the builders say, and of when. */
export const BUILDER_MUTATIONS: readonly Mutation[] = [
  breaking('send `type` for the command', (json) => (renamed('commands', 'type')(json), json)),
  breaking('send `type` for each kind', inCommands(renamed('openPosition', 'type'))),
  breaking('send `payload` for the parameters', inCommands(renamed('stopSession', 'payload'))),
  breaking('omit create_time', inCommands(without('createTime'))),
  breaking('omit the command id', inCommands(without('commandId'))),
  breaking('omit the time to start', inCommands(without('startWithin'))),
  breaking('omit the ordering key', inCommands(without('orderingKey'))),
  breaking('omit when a batch was sent', inFrame('commands', without('sendTime'))),
  breaking('omit who took over', inFrame('superseded', without('journalId'))),
  breaking('omit the epoch', inFrame('welcome', without('streamEpoch'))),
  breaking('send snake_case', (json) =>
    Object.fromEntries(Object.entries(json).map(([key, value]) => [snake(key), inSnakeCase(value)])),
  ),
  breaking('count attempts from zero', inCommands(without('attempt'))),
  breaking('send no lane by default', inCommands(set('lane', 'LANE_UNSPECIFIED'))),
  breaking('change the default lane', inCommands(set('lane', 'LANE_CRITICAL'))),
  breaking('change the default of the heartbeat to none', inFrame('welcome', set('heartbeatInterval', '0s'))),
  breaking(
    'send enum values without their prefix',
    inCommands((command) => set('lane', JSON.stringify(command['lane']).replace(/"|LANE_/g, ''))(command)),
  ),
  breaking('let commands start a thousand times as late', inCommands(set('startWithin', '23000s'))),
  breaking('have commands forgotten after a thousandth of the time', inCommands(set('rememberFor', '86.473s'))),
  breaking('send times as numbers', inCommands(set('createTime', '1704067200'))),
  breaking('send an id where a list belongs', inFrame('cancels', set('commandIds', []))),
  { name: 'send the welcome after the first command', breaks: true, stream: late('welcome') },
  { name: 'send a cancellation after the acknowledgement', breaks: true, stream: late('cancels') },
  { name: 'forget to acknowledge results', breaks: true, stream: lost('eventsAcknowledged') },
  { name: 'forget to say that a stream was superseded', breaks: true, stream: lost('superseded') },
  { name: 'forget to announce a drain', breaks: true, stream: lost('drain') },
  { name: 'send cancellations twice', breaks: true, stream: twice('cancels') },
  { name: 'send a kind that the agent did not offer', breaks: true, stream: unasked },
  harmless(
    'say more in a welcome',
    inFrame('welcome', (frame) => Object.assign(frame, { platformVersion: '9.9.9' })),
  ),
  harmless('have commands remembered for longer', inCommands(set('rememberFor', '172800s'))),
  harmless('beat at another pace', inFrame('welcome', set('heartbeatInterval', '10s'))),
  harmless('say why in other words', inFrame('drain', set('reason', 'this replica makes room'))),
  harmless('leave out what no agent reads', inFrame('superseded', without('streamEpoch'))),
];

/** Changes of what the gateway serves. */
export const DOOR_MUTATIONS: readonly Mutation[] = [
  {
    name: 'serve another path',
    breaks: true,
    door: { path: (path) => path.replace('PollCommands', 'Poll') },
  },
  {
    name: 'serve another package',
    breaks: true,
    door: { path: (path) => path.replace('command.v1', 'command.v2') },
  },
  {
    name: 'refuse a credential with another status',
    breaks: true,
    door: { answer: (answer) => (answer.status === 401 ? { ...answer, status: 400 } : answer) },
  },
  {
    name: 'answer a wrong epoch with another code',
    breaks: true,
    door: {
      answer: (answer) =>
        answer.status === 409 ? { ...answer, body: answer.body.replace('aborted', 'unavailable') } : answer,
    },
  },
  {
    name: 'give another reason for a wrong epoch',
    breaks: true,
    door: {
      answer: (answer) =>
        answer.status === 409 ? { ...answer, body: withReason(answer.body, 'STREAM_SILENT') } : answer,
    },
  },
  {
    name: 'answer with a hard-coded body',
    breaks: true,
    door: { answer: (answer) => ({ ...answer, status: 200, body: '{"frames":[]}' }) },
  },
  {
    name: 'wrap the answers',
    breaks: true,
    door: { answer: (answer) => ({ ...answer, body: `{"data":${answer.body}}` }) },
  },
  {
    name: 'answer in another form',
    breaks: true,
    door: { answer: (answer) => ({ ...answer, contentType: 'text/plain' }) },
  },
  {
    name: 'say more in an answer',
    breaks: false,
    door: {
      answer: (answer) => ({ ...answer, body: answer.body.replace(/^\{/, '{"notice":"be well",').replace(',}', '}') }),
    },
  },
  {
    name: 'refuse in other words',
    breaks: false,
    door: {
      answer: (answer) =>
        answer.status < 400
          ? answer
          : { ...answer, body: answer.body.replace(/"message":"(?:[^"\\]|\\.)*"/, '"message":"no"') },
    },
  },
];

/** The reason stands in the bytes of an ErrorInfo, and beside it as text. */
function withReason(body: string, reason: string): string {
  const parsed: unknown = JSON.parse(body);
  const text = JSON.stringify(parsed).replaceAll('STREAM_SUPERSEDED', reason);
  return text.replaceAll(/"value":"([A-Za-z0-9+/=]+)"/g, (_, value: string) => {
    const bytes = Buffer.from(value, 'base64').toString('latin1');
    const start = bytes.indexOf('STREAM_SUPERSEDED');
    if (start === -1) return `"value":"${value}"`;
    const changed = bytes.replace('STREAM_SUPERSEDED', reason.padEnd('STREAM_SUPERSEDED'.length, '_'));
    return `"value":"${Buffer.from(changed, 'latin1').toString('base64').replace(/=+$/, '')}"`;
  });
}
