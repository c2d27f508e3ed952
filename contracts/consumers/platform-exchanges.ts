import { fromJson, type JsonObject, toJson } from '@bufbuild/protobuf';
import {
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ManualClock } from '../../services/platform/clock.ts';
import { frameNamed } from '../golden/frame.ts';
import { goldenOf, todaysFrames } from '../golden/make.ts';
import { PING, sentCommand } from '../golden/sample-commands.ts';
import { sampleSession } from '../golden/sample-session.ts';
import { SAMPLE, sampleId } from '../golden/sample-values.ts';
import { objectOf } from '../schema/json.ts';
import { type Exchange, type Watch, writeExchanges } from './exchange.ts';
import { expect } from './reaction.ts';

/** Here the platform asks and the executor answers, so the executor is the provider. */
const PLATFORM_PACT = { consumer: 'platform', provider: 'executor' } as const;

/** States of the executor, by the names that both sides know them by. */
export const AGENT_STATES = {
  idle: 'the agent is connected, and no command is with it',
  executing: 'the agent is connected, and the command is at the venue',
} as const;

const COMMAND_ID = sampleId(1);
const BEAT_MS = 10_000;
const FRAMES_MAX = 10;

interface Occasion {
  readonly description: string;
  readonly state: string;
  /** Name of the executor's frame that is the answer. */
  readonly answer: string;
  readonly tied: readonly string[];
  /** Makes the session ask, and hands it the answer. @returns what it asked */
  readonly take: (answer: JsonObject, watch: Watch) => Promise<ConnectResponse>;
}

const OCCASIONS: readonly Occasion[] = [
  {
    description: 'a heartbeat of the platform is answered with its number',
    state: AGENT_STATES.idle,
    answer: 'heartbeat_reply',
    tied: ['number'],
    take: async (answer, watch) => {
      const clock = new ManualClock(SAMPLE.nowMs);
      const session = sampleSession(clock);
      clock.advance(BEAT_MS);
      session.tick(clock.nowMs());
      const [asked] = session.output.drain(FRAMES_MAX);
      session.take(watch(fromJson(ConnectRequestSchema, answer)));
      expect(session.roundTripMs !== null, 'the platform measures the way there and back');
      return sole(asked);
    },
  },
  {
    description: 'an inquiry about a command that is with the agent is answered with how far it is',
    state: AGENT_STATES.executing,
    answer: 'events/started',
    tied: ['commandId'],
    take: (answer, watch) => inquired(answer, watch, 'RUNNING'),
  },
  {
    description: 'an inquiry about a command that never came is answered with that',
    state: AGENT_STATES.idle,
    answer: 'events/not_found',
    tied: ['commandId'],
    // Sent again at once, for it is sure that nobody executes it.
    take: (answer, watch) => inquired(answer, watch, 'SENT'),
  },
];

/** Writes the pact `platform-executor`: the session of production asks, and acts on the answer. */
export async function writePlatformExchanges(directory: string): Promise<void> {
  const { frames } = await todaysFrames();
  const exchanges = OCCASIONS.map(({ description, state, answer, tied, take }): Exchange => {
    const sample = aboutSample(objectOf(goldenOf(frameNamed(frames, `executor ${answer}`)).json));
    return {
      description,
      state,
      answerDesc: ConnectRequestSchema,
      sample,
      tied,
      take: async (given, watch) => objectOf(toJson(ConnectResponseSchema, await take(given, watch))),
    };
  });
  await writeExchanges(PLATFORM_PACT, exchanges, directory);
}

/** The frame as it answers what is asked here. */
function aboutSample(json: JsonObject): JsonObject {
  const message = fromJson(ConnectRequestSchema, json);
  const { frame } = message;
  if (frame.case === 'heartbeatReply') frame.value.number = 1n;
  if (frame.case === 'events') for (const event of frame.value.events) event.commandId = COMMAND_ID;
  return objectOf(toJson(ConnectRequestSchema, message));
}

/** A command was sent, and nothing was heard of it: the stream that follows asks. */
async function inquired(answer: JsonObject, watch: Watch, becomes: string): Promise<ConnectResponse> {
  const states: string[] = [];
  const clock = new ManualClock(SAMPLE.nowMs);
  const session = sampleSession(clock, ({ command }) => states.push(command.state));
  session.flow.merge([{ ...sentCommand(PING), id: COMMAND_ID }]);
  session.flow.begin([], []);
  const [asked] = session.output.drain(FRAMES_MAX);
  session.take(watch(fromJson(ConnectRequestSchema, answer)));
  // What is decided in one turn is written together.
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(states.at(-1) === becomes, `the command becomes ${becomes}, not ${states.join(', ') || 'anything'}`);
  session.end({ type: 'left', reason: 'asked and answered' });
  return sole(asked);
}

function sole(asked: ConnectResponse | undefined): ConnectResponse {
  if (asked === undefined) throw new Error('the platform asks nothing');
  return asked;
}
