import { type DescMethod, isMessage } from '@bufbuild/protobuf';
import { type Client, Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ConnectRequestSchema,
  ExecutorLinkService,
  PollCommandsRequestSchema,
  PollCommandsResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { type ExecutorService, ExecutorState } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Stack } from '../../services/platform/lifecycle.ts';
import { concurrently } from '../fault/concurrently.ts';
import { until } from '../harness/until.ts';
import type { Answer } from './answer.ts';
import { converse, frameBytes, helloFrame } from './conversation.ts';
import { type Fault, namesField } from './fault.ts';
import { binaryOf, faultsOf, soundRequests } from './faults-of.ts';
import { Interrogation, isTaken, told, type Wire } from './interrogation.ts';
import { startReadyStack } from './ready-stack.ts';
import { nameOf, POLLING_RPCS } from './rpc-list.ts';
import type { SampleOf } from './sample-request.ts';
import { sampleOf } from './samples.ts';
import { StoredStateReader } from './stored-state.ts';
import { Tolerances } from './tolerated.ts';
import type { Target } from './wire-http1.ts';
import { Http2Wire } from './wire-http2.ts';

const STREAMS_AT_ONCE = 8;
const NOBODY = 'nobody';

const ended = new Stack();
const tolerances = new Tolerances('agents');
let stored: StoredStateReader;
/** The agents' RPCs as the gateway and as the executor port serve them. */
let ports: Readonly<Record<'gateway' | 'executor port', Interrogation>>;
/** A credential for each stream that is open at once. */
let streamers: readonly Target[];
let sample: SampleOf;
let executors: Client<typeof ExecutorService>;
let streamEpoch = 0n;

beforeAll(async () => {
  const stack = ended.use(await startReadyStack(), (started) => started[Symbol.asyncDispose]());
  stored = ended.use(await StoredStateReader.open(stack.databaseUrl), (reader) => reader[Symbol.asyncDispose]());
  const bearerOf = async (name: string): Promise<string> => {
    const { keyId, secret } = await stack.createExecutor(name);
    return `${keyId}.${secret}`;
  };
  const bearer = await bearerOf('poller');
  const link = stack.linkUrls[0] ?? '';
  executors = await stack.executorClient();
  const open = (url: string, wires: readonly Wire[]) =>
    ended.use(new Interrogation({ url, bearer }, wires), (made) => made[Symbol.dispose]());
  ports = { gateway: open(stack.gatewayUrl, ['Connect JSON', 'gRPC']), 'executor port': open(link, ['gRPC']) };
  streamers = await Promise.all(
    Array.from({ length: STREAMS_AT_ONCE }, async (_, at) => ({ url: link, bearer: await bearerOf(`streamer-${at}`) })),
  );
  sample = sampleOf({
    executor: NOBODY,
    spareExecutor: NOBODY,
    openCommandId: NOBODY,
    cancellableCommandId: NOBODY,
    endedCommandId: NOBODY,
    unknownCommandId: NOBODY,
    token: NOBODY,
    streamEpoch: () => streamEpoch,
  });
  streamEpoch = await epochBy({ url: link, bearer });
});
afterAll(() => ended.stop());

/** Polls once; the epoch that the Welcome gives. */
async function epochBy(target: Target): Promise<bigint> {
  using wire = new Http2Wire();
  const [poll] = soundRequests(PollCommandsRequestSchema, sample);
  const method = ExecutorLinkService.method.pollCommands;
  const answer = await wire.grpc(target, method, poll ?? new Uint8Array());
  if (answer.type === 'refused') throw new Error(`the poll was refused: ${told(answer)}`);
  if (!isMessage(answer.response, PollCommandsResponseSchema))
    throw new Error('the poll was answered with something else');
  const welcome = answer.response.frames.find(({ frame }) => frame.case === 'welcome')?.frame;
  return welcome?.case === 'welcome' ? welcome.value.streamEpoch : 0n;
}

const POLLING = (['gateway', 'executor port'] as const).flatMap((port) =>
  POLLING_RPCS.map((method) => [port, nameOf(method), method] as const),
);

// Nothing sound is sent before the last of these: a sound poll opens a link.
describe.each(POLLING)('at the %s, %s', (port, _name, method: DescMethod) => {
  test('refuses whatever is wrong by the name of its field, and stores nothing of it', async () => {
    const faults = faultsOf(method.input, sample).filter((fault) => !tolerances.covers(fault));
    expect(faults.length).toBeGreaterThan(0);
    const before = await stored.read();
    expect(await ports[port].unrefused(method, faults)).toEqual([]);
    expect(await stored.read()).toEqual(before);
  });
});

describe('ExecutorLinkService.Connect', () => {
  test('refuses an opening that is wrong by the name of its field, and stores nothing of it', async () => {
    const openings = frameFaults().filter((fault) => isOpening(fault) && !tolerances.covers(fault));
    expect(openings.length).toBeGreaterThan(0);
    const before = await stored.read();
    expect(await amiss(openings, isRefused)).toEqual([]);
    expect(await stored.read()).toEqual(before);
  });

  test('ends the stream with what is wrong in a later frame', async () => {
    const frames = frameFaults().filter((fault) => !isOpening(fault) && !tolerances.covers(fault));
    expect(frames.length).toBeGreaterThan(0);
    expect(await amiss(frames, isRefused)).toEqual([]);
  });

  test('knows of every stream that it has ended, whatever the agent said last', async () => {
    const [first, second] = streamers;
    if (first === undefined || second === undefined) throw new Error('there are no credentials');
    const goodbye = frameBytes({ frame: { case: 'goodbye', value: { reason: '\u0000\u001b[2J'.repeat(1_000) } } });
    await Promise.all([converse(first, [helloFrame('journal'), goodbye]), converse(second, [helloFrame('journal')])]);
    for (const executor of ['streamer-0', 'streamer-1']) {
      const found = await until(async () => {
        const { executor: view } = await executors.getExecutor({ executor });
        return view?.state === ExecutorState.OFFLINE && view;
      }, `${executor} is offline`);
      expect(found.disconnectReason).toMatch(/^[^\p{Cc}]{1,1000}$/u);
    }
  });

  test('takes what only looks wrong, and what is sound', async () => {
    const tolerated = frameFaults().filter((fault) => tolerances.covers(fault));
    expect(await amiss(tolerated, (_fault, answer) => isTaken(answer))).toEqual([]);
  });
});

describe.each(POLLING)('at the %s, %s', (port, _name, method: DescMethod) => {
  test('takes what only looks wrong, and what is sound', async () => {
    const faults = faultsOf(method.input, sample).filter((fault) => tolerances.covers(fault));
    expect(await ports[port].refused(method, faults)).toEqual([]);
    expect(await ports[port].unsound(method, soundRequests(method.input, sample))).toEqual([]);
  });
});

test('every exception to the rules is one that is needed', () => {
  expect(tolerances.unused()).toEqual([]);
});

/** What is amiss with the answers to frames that are said as the first, or behind a Hello. */
async function amiss(faults: readonly Fault[], isRight: (fault: Fault, answer: Answer) => boolean): Promise<string[]> {
  const free = [...streamers];
  const found = await concurrently(faults, STREAMS_AT_ONCE, async (fault) => {
    const bytes = binaryOf(ConnectRequestSchema, fault);
    if (bytes === undefined) return [];
    const target = free.pop();
    if (target === undefined) throw new Error('more streams at once than credentials');
    const answer = await converse(target, isOpening(fault) ? [bytes] : [helloFrame('journal'), bytes]);
    free.push(target);
    return isRight(fault, answer) ? [] : [`${fault.kind} ${fault.subject} (${fault.detail}): ${told(answer)}`];
  });
  return found.flat();
}

function frameFaults(): Fault[] {
  return faultsOf(ConnectRequestSchema, sample);
}

/** Faults of a first frame: of the Hello, or of the frame itself. */
function isOpening({ subject }: Fault): boolean {
  return (
    ['Hello.', 'JournalEntry', 'ConnectRequest.hello'].some((part) => subject.startsWith(part)) ||
    subject === 'Hello' ||
    subject === 'ConnectRequest'
  );
}

/** By its code and field, or, once the stream stands, as a violation of the protocol that names the field. */
function isRefused(fault: Fault, answer: Answer): boolean {
  if (answer.type === 'accepted') return false;
  if (answer.code === fault.code) return namesField(answer.fields, fault.field);
  const violated = answer.code === Code.FailedPrecondition && answer.reason === 'PROTOCOL_VIOLATION';
  return violated && answer.message.includes(fault.field?.split('.').at(-1) ?? '');
}
