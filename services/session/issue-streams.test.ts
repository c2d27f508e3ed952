import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  type IssueCommandStreamResponse,
  IssueCommandStreamResponseSchema,
} from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import { AsyncQueue } from '../platform/async-queue.ts';
import { ManualClock } from '../platform/clock.ts';
import { IssueStreams } from './issue-streams.ts';

const SILENCE_MS = 10_000;
const UNUSED_MS = 300_000;

/** Streams to a command service that answers when it is told to. */
function streams() {
  const clock = new ManualClock();
  const opened: Opened[] = [];
  const issuing = new IssueStreams((accountId, requests, signal) => {
    const answers = new AsyncQueue<IssueCommandStreamResponse>({ itemsMax: 10 });
    signal.addEventListener('abort', () => answers.fail(signal.reason));
    opened.push({ accountId, requests: requests[Symbol.asyncIterator](), answers });
    return answers;
  }, clock);
  return { clock, opened, issuing };
}

interface Opened {
  readonly accountId: string;
  readonly requests: AsyncIterator<unknown>;
  readonly answers: AsyncQueue<IssueCommandStreamResponse>;
}

const ping = (executor: string) => ({ executor, kind: { case: 'ping' as const, value: {} } });

/** The answer whose only outcome is a command of that id. */
function issued(id: string): IssueCommandStreamResponse {
  const outcome = { case: 'issued' as const, value: { command: { id } } };
  return create(IssueCommandStreamResponseSchema, { outcomes: [{ outcome }] });
}

async function idOf(outcomes: ReturnType<IssueStreams['issue']>): Promise<string | undefined> {
  const [first] = await outcomes;
  return first?.outcome.case === 'issued' ? first.outcome.value.command?.id : undefined;
}

describe('a stream that answers', () => {
  test('is one for an account, and gives its answers in the order of the requests', async () => {
    const { opened, issuing } = streams();
    const [one, two, other] = [
      issuing.issue('a', [ping('x')]),
      issuing.issue('a', [ping('y')]),
      issuing.issue('b', []),
    ];
    expect(opened.map(({ accountId }) => accountId)).toEqual(['a', 'b']);
    expect((await opened[0]?.requests.next())?.value).toEqual({ requests: [ping('x')] });
    expect((await opened[0]?.requests.next())?.value).toEqual({ requests: [ping('y')] });
    opened[1]?.answers.push(issued('third'));
    opened[0]?.answers.push(issued('first'));
    opened[0]?.answers.push(issued('second'));
    expect([await idOf(one), await idOf(two), await idOf(other)]).toEqual(['first', 'second', 'third']);
  });

  test('is closed once nobody has used it for a while, and opened again for the next', async () => {
    const { clock, opened, issuing } = streams();
    const one = issuing.issue('a', [ping('x')]);
    opened[0]?.answers.push(issued('first'));
    expect(await idOf(one)).toBe('first');
    await opened[0]?.requests.next();
    clock.advance(UNUSED_MS - 1);
    expect(opened[0]?.answers.open).toBe(true);
    clock.advance(1);
    expect((await opened[0]?.requests.next())?.done).toBe(true);
    const two = issuing.issue('a', [ping('x')]);
    opened[1]?.answers.push(issued('second'));
    expect(await idOf(two)).toBe('second');
  });
});

describe('a stream that breaks', () => {
  test('tells everybody who waits, and the next request opens another', async () => {
    const { opened, issuing } = streams();
    const waiting = [issuing.issue('a', [ping('x')]), issuing.issue('a', [ping('y')])];
    opened[0]?.answers.fail(new ConnectError('the replica is gone', Code.Unavailable));
    const told = await Promise.allSettled(waiting);
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = issuing.issue('a', [ping('x')]);
    opened[1]?.answers.push(issued('first'));
    expect(await idOf(next)).toBe('first');
  });

  test('that the service ends is as much a failure', async () => {
    const { opened, issuing } = streams();
    const waiting = issuing.issue('a', [ping('x')]);
    opened[0]?.answers.end();
    await expect(waiting).rejects.toMatchObject({ code: Code.Unavailable });
  });

  test('that answers nobody is given up, however much is issued meanwhile', async () => {
    const { clock, opened, issuing } = streams();
    const first = issuing.issue('a', [ping('x')]);
    clock.advance(SILENCE_MS - 1);
    const second = issuing.issue('a', [ping('x')]);
    const told = Promise.allSettled([first, second]);
    clock.advance(1);
    expect((await told).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(first).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(opened[0]?.answers.open).toBe(false);
  });

  test('when the service that issues stops, nobody waits on', async () => {
    const { issuing } = streams();
    const waiting = issuing.issue('a', [ping('x')]);
    issuing.stop();
    await expect(waiting).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
