import { fromJson, type JsonObject, toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { goldenOf, todaysFrames } from '../golden/make.ts';
import { SAMPLE, SAMPLE_MACHINE, sampleId } from '../golden/sample-values.ts';
import { eventsSingly } from '../golden/singly.ts';
import { frameNamed, isObject } from '../golden/frame.ts';
import { objectOf } from '../schema/json.ts';
import { AgentBench, type PeerStream } from './agent-bench.ts';
import { type Exchange, type Watch, writeExchanges } from './exchange.ts';
import { EXECUTOR_PACT } from './executor-messages.ts';
import { answered, expect, expectFrame, hasEvent, openCommand } from './reaction.ts';
import { TradingVenue } from './venue.ts';

/** States of the provider, by the names that both sides know them by. */
export const LINK_STATES = {
  registered: 'the executor is registered, and not connected',
  connected: 'the executor is connected by a stream',
  holding: 'the executor is connected by a stream, and a command is with it',
} as const;

/** The command of which the pact speaks; the real one has an id of its own. */
export const LINK_COMMAND = sampleId(1);
/** Longer than the agent waits before it beats, and before it connects again. */
const BEAT_MS = 8_001;
const RECONNECT_STEP_MS = 1_000;

interface Occasion {
  readonly description: string;
  readonly state: string;
  /** Name of the platform's frame that is the answer. */
  readonly answer: string;
  readonly tied: readonly string[];
  /** What of the answer is the question's. */
  readonly tie?: JsonObject;
  /** Makes the agent ask. */
  readonly ask: (bench: AgentBench, stream: PeerStream) => Promise<ConnectRequest>;
  readonly check: (bench: AgentBench, stream: PeerStream) => Promise<void>;
}

/**
 * What the executor asks on the stream and the platform answers. Where the platform asks, the executor is the provider: those
 * exchanges are a pact of their own, for a pact has one consumer.
 */
const OCCASIONS: readonly Occasion[] = [
  {
    description: 'a hello is answered with a welcome',
    state: LINK_STATES.registered,
    answer: 'welcome',
    tied: [],
    ask: (_, stream) => said(stream, 'hello'),
    check: async ({ executor }, stream) => {
      await answered(stream);
      expect(executor.state.kind === 'ready', 'the agent is ready after a welcome');
    },
  },
  {
    description: 'a heartbeat is answered with its number',
    state: LINK_STATES.connected,
    answer: 'heartbeat_reply',
    tied: ['number'],
    tie: { number: '1' },
    ask: async (bench, stream) => {
      await welcomed(stream);
      await answered(stream);
      bench.clock.advance(BEAT_MS);
      return await said(stream, 'heartbeat');
    },
    check: (_, stream) => answered(stream),
  },
  {
    description: 'a result is acknowledged',
    state: LINK_STATES.holding,
    answer: 'events_acknowledged',
    tied: ['commandIds'],
    tie: { commandIds: [LINK_COMMAND] },
    ask: async (bench, stream) => {
      await welcomed(stream);
      await openCommand(bench, stream, LINK_COMMAND);
      await bench.venue.succeed(LINK_COMMAND);
      const found = await expectFrame(stream, (frame) => hasEvent(frame, 'finished'), 'the result');
      const [result] = eventsSingly(found).filter((each) => hasEvent(each, 'finished'));
      if (result === undefined) throw new Error('the agent reports no result');
      return result;
    },
    check: async (bench, stream) => {
      await answered(stream);
      stream.end(new ConnectError('the network broke', Code.Unavailable));
      const { frame } = await said(await nextStream(bench), 'hello');
      expect(
        frame.case === 'hello' && frame.value.journal.length === 0,
        'the agent keeps no result that was acknowledged',
      );
    },
  },
  {
    description: 'events of the venue are acknowledged',
    state: LINK_STATES.connected,
    answer: 'venue_events_acknowledged',
    tied: ['journalId', 'numbers'],
    tie: { journalId: SAMPLE.journalId, numbers: ['1'] },
    ask: async (_, stream) => {
      await welcomed(stream);
      return await said(stream, 'venueEvents');
    },
    check: async ({ venue }, stream) => {
      await answered(stream);
      expect(venue instanceof TradingVenue && venue.durable.includes(1n), 'the venue hears that its event is durable');
    },
  },
  {
    description: 'a wish for prices is answered, though the platform is blind',
    state: LINK_STATES.connected,
    answer: 'prices/candle',
    tied: ['symbol', 'state'],
    tie: { prices: [], missedSymbols: [], freshness: [{ symbol: 'BTC_USDT', state: 'PRICE_STATE_BLIND' }] },
    ask: async (_, stream) => {
      await welcomed(stream);
      return await said(stream, 'priceInterest');
    },
    check: async ({ venue }, stream) => {
      await answered(stream);
      expect(venue instanceof TradingVenue && venue.taken.length > 0, 'the venue hears that it has no price');
    },
  },
];

/** Writes the exchanges of the pact `executor-platform`; the real agent asks each, and acts on its answer. */
export async function writeExecutorExchanges(directory: string): Promise<void> {
  const { frames } = await todaysFrames();
  const exchanges = OCCASIONS.map((occasion): Exchange => {
    const { description, state, answer, tied, tie = {} } = occasion;
    const { json } = goldenOf(frameNamed(frames, `platform ${answer}`));
    const [[name, body] = ['', {}]] = Object.entries(objectOf(json));
    const sample = { [name]: { ...(isObject(body) ? body : {}), ...tie } };
    return {
      description,
      state,
      answerDesc: ConnectResponseSchema,
      sample: objectOf(toJson(ConnectResponseSchema, fromJson(ConnectResponseSchema, sample))),
      tied,
      take: (given, watch) => take(occasion, given, watch),
    };
  });
  await writeExchanges(EXECUTOR_PACT, exchanges, directory);
}

async function take({ ask, check }: Occasion, given: JsonObject, watch: Watch): Promise<JsonObject> {
  const answer = fromJson(ConnectResponseSchema, given);
  let watching = false;
  const seen = (frame: ConnectResponse): ConnectResponse =>
    watching && frame.frame.case === answer.frame.case ? watch(frame) : frame;
  await using bench = await AgentBench.start({ venue: new TradingVenue(), watch: seen });
  const stream = await bench.stream();
  const asked = await ask(bench, stream);
  watching = true;
  stream.toAgent.push(answer);
  await check(bench, stream);
  if (asked.frame.case === 'hello') Object.assign(asked.frame.value, SAMPLE_MACHINE);
  return objectOf(toJson(ConnectRequestSchema, asked));
}

async function welcomed(stream: PeerStream): Promise<void> {
  await said(stream, 'hello');
  stream.welcome();
}

function said(stream: PeerStream, name: ConnectRequest['frame']['case']): Promise<ConnectRequest> {
  return expectFrame(stream, ({ frame }) => frame.case === name, `${name}`);
}

/** The stream that the agent opens when its pause is over; the clock goes on meanwhile. */
async function nextStream(bench: AgentBench): Promise<PeerStream> {
  const opened = bench.stream();
  const waiting = { over: false };
  const end = (): void => {
    waiting.over = true;
  };
  opened.then(end, end);
  while (!waiting.over) {
    bench.clock.advance(RECONNECT_STEP_MS);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return await opened;
}
