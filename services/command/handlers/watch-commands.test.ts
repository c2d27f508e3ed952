import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { commandFakes, directoryOf, HandBell } from '../../../test/harness/command-fakes.ts';
import { handlerCall } from '../../../test/harness/handler-context.ts';
import { SAMPLE_EXECUTOR_ID, SAMPLE_NOW_MS, sampleCommand, sampleId } from '../../../test/harness/sample-commands.ts';
import { sampleExecutor } from '../../../test/harness/sample-executors.ts';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type WatchCommandsResponse,
  WatchCommandsRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { Command, CommandState as State } from '../domain/command.ts';
import type { HistoryEntry } from '../domain/repository.ts';
import { watchCommands } from './watch-commands.ts';

/** An account's history that grows under a watcher's eyes. */
class Account {
  readonly entries: HistoryEntry[] = [];
  readonly commands = new Map<string, Command>();
  readonly bell = new HandBell();
  readonly clock = new ManualClock();
  removed = 0;
  looks = 0;
  readonly #deps = commandFakes({
    bell: this.bell,
    clock: this.clock,
    directory: directoryOf([sampleExecutor()]),
    reader: {
      getMany: (_, ids) =>
        Promise.resolve(new Map(ids.flatMap((id) => [...this.commands].filter(([known]) => known === id)))),
      historyRange: () => Promise.resolve({ newest: this.newest, removed: this.removed }),
      historyAfter: (_, after, { entriesMax, executorId }) => {
        this.looks += 1;
        const later = this.entries.filter((entry) => entry.number > after);
        const found = later.filter((entry) => executorId === undefined || entry.executorId === executorId);
        const entries = found.slice(0, entriesMax);
        const throughNumber =
          found.length > entriesMax ? (entries.at(-1)?.number ?? after) : Math.max(after, this.newest);
        return Promise.resolve({
          entries,
          throughNumber,
          more: throughNumber < this.newest,
          removedNumber: this.removed,
        });
      },
    },
  });

  get newest(): number {
    return this.entries.at(-1)?.number ?? this.removed;
  }

  /** One step of a command, as another row of history. */
  step(commandNumber: number, to: State, facts: { kind?: Command['kind']; executorId?: string } = {}): void {
    const { kind = 'ping', executorId = SAMPLE_EXECUTOR_ID } = facts;
    const id = sampleId(commandNumber);
    this.commands.set(id, { ...sampleCommand({ id, executorId }, { state: to }), kind });
    const step = { from: null, to, atMs: SAMPLE_NOW_MS, cause: 'test', attempt: 0 };
    this.entries.push({ number: this.newest + 1, commandId: id, executorId, steps: [step] });
  }

  /** Lets seconds pass until the watcher has answered. */
  async secondsPass(answer: Promise<unknown>): Promise<void> {
    let answered = false;
    void answer.finally(() => {
      answered = true;
    });
    await expect
      .poll(() => {
        if (!answered) this.clock.advance(1_000);
        return answered;
      })
      .toBe(true);
  }

  watch(init: MessageInitShape<typeof WatchCommandsRequestSchema> = {}) {
    const { context, end } = handlerCall();
    const stream = watchCommands(this.#deps)(create(WatchCommandsRequestSchema, init), context);
    return { stream, end };
  }
}

async function take(stream: AsyncGenerator<WatchCommandsResponse>, count: number): Promise<WatchCommandsResponse[]> {
  const taken: WatchCommandsResponse[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done === true) throw new Error(`the stream ended after ${taken.length} messages`);
    taken.push(value);
  }
  return taken;
}

function stepsOf(events: readonly WatchCommandsResponse[]): string[] {
  return events.map(({ commandId, transitions }) =>
    commandId === '' ? 'checkpoint' : `${Number(commandId.slice(-2))} ${CommandState[transitions[0]?.toState ?? 0]}`,
  );
}

describe('watching commands', () => {
  test('begins with what comes after the call', async () => {
    const account = new Account();
    account.step(1, 'PENDING');
    const { stream } = account.watch();
    expect(stepsOf(await take(stream, 1))).toEqual(['checkpoint']);
    account.step(1, 'SENT');
    const [event] = await take(stream, 1);
    expect(event).toMatchObject({
      commandId: sampleId(1),
      transitions: [{ toState: CommandState.SENT }],
      command: { id: sampleId(1), executorName: 'vps-1', state: CommandState.SENT },
    });
    await stream.return(undefined);
  });

  test('can begin with the oldest history', async () => {
    const account = new Account();
    account.removed = 7;
    account.step(1, 'PENDING');
    account.step(1, 'SENT');
    const { stream } = account.watch({ fromStart: true });
    expect(stepsOf(await take(stream, 3))).toEqual(['checkpoint', '1 PENDING', '1 SENT']);
    await stream.return(undefined);
  });

  test('goes on after any cursor without loss and without repetition', async () => {
    const account = new Account();
    for (let i = 1; i <= 500; i++) account.step(i, 'PENDING');
    const { stream } = account.watch({ fromStart: true });
    const all = await take(stream, 501);
    await stream.return(undefined);
    for (const at of [0, 1, 199, 200, 201, 499]) {
      const resumed = account.watch({ cursor: all[at]?.cursor ?? '' });
      const rest = await take(resumed.stream, 501 - at);
      await resumed.stream.return(undefined);
      expect(stepsOf(rest)).toEqual(['checkpoint', ...stepsOf(all.slice(at + 1))]);
    }
  });

  test('is woken by the bell, and looks every second without one', async () => {
    const account = new Account();
    const { stream } = account.watch();
    await take(stream, 1);
    const rung = take(stream, 1);
    await expect.poll(() => account.looks).toBe(1);
    account.step(1, 'PENDING');
    account.bell.ring();
    expect(stepsOf(await rung)).toEqual(['1 PENDING']);
    const unrung = take(stream, 1);
    account.step(1, 'SENT');
    await account.secondsPass(unrung);
    expect(stepsOf(await unrung)).toEqual(['1 SENT']);
    await stream.return(undefined);
  });

  test('tells how far it has come when nothing matches', async () => {
    const account = new Account();
    const { stream } = account.watch({ filter: { kinds: ['ping'] } });
    const [first] = await take(stream, 1);
    account.step(1, 'PENDING', { kind: 'pause' });
    const next = take(stream, 1);
    await account.secondsPass(next);
    const [checkpoint] = await next;
    expect(checkpoint?.commandId).toBe('');
    expect(checkpoint?.cursor).not.toBe(first?.cursor);
    expect(account.clock.nowMs() - SAMPLE_NOW_MS).toBeGreaterThanOrEqual(4_000);
    await stream.return(undefined);
  });

  test('shows only what its filter asks for', async () => {
    const account = new Account();
    const elsewhere = sampleId(99);
    account.step(1, 'PENDING');
    account.step(2, 'PENDING', { executorId: elsewhere });
    account.step(3, 'PENDING', { kind: 'pause' });
    account.step(1, 'SENT');
    // A step counts, not the state that the command has come to since.
    account.step(1, 'SUCCEEDED');
    const filter = { executor: 'vps-1', kinds: ['ping'], states: [CommandState.PENDING, CommandState.SENT] };
    const { stream } = account.watch({ filter, fromStart: true });
    expect(stepsOf(await take(stream, 3))).toEqual(['checkpoint', '1 PENDING', '1 SENT']);
    await stream.return(undefined);
  });

  test('shows an event whose command cannot be read without the command', async () => {
    const account = new Account();
    account.step(1, 'PENDING');
    account.commands.clear();
    const { stream } = account.watch({ fromStart: true });
    const [, event] = await take(stream, 2);
    expect(event?.commandId).toBe(sampleId(1));
    expect(event?.command).toBeUndefined();
    await stream.return(undefined);
  });

  test('leaves nothing behind when the caller hangs up while it waits', async () => {
    const account = new Account();
    const { stream, end } = account.watch();
    await take(stream, 1);
    const waiting = stream.next();
    await expect.poll(() => account.looks).toBe(1);
    expect(account.bell.listeners).toBe(1);
    end();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(account.bell.listeners).toBe(0);
  });

  test('cuts off a reader that left a message untaken for 30 s', async () => {
    const account = new Account();
    account.step(1, 'PENDING');
    account.step(1, 'SENT');
    const { stream } = account.watch({ fromStart: true });
    await take(stream, 1);
    account.clock.advance(29_999);
    await take(stream, 1);
    account.clock.advance(30_000);
    await expect(stream.next()).rejects.toMatchObject({ code: 'ResourceExhausted', reason: 'SLOW_CONSUMER' });
    expect(account.bell.listeners).toBe(0);
  });
});

describe('a cursor is refused', () => {
  test('when the history after it is no longer kept', async () => {
    const account = new Account();
    account.step(1, 'PENDING');
    const { stream } = account.watch({ fromStart: true });
    const [start] = await take(stream, 1);
    account.removed = 1;
    const again = account.watch({ cursor: start?.cursor ?? '' }).stream.next();
    await expect(again).rejects.toMatchObject({
      code: 'OutOfRange',
      reason: 'CURSOR_TOO_OLD',
      metadata: { oldest: '2' },
    });
    // Also when that happens under a reader that rested.
    await expect(stream.next()).rejects.toMatchObject({ reason: 'CURSOR_TOO_OLD' });
  });

  test('when it is ahead of everything', async () => {
    const account = new Account();
    account.step(1, 'PENDING');
    const [ahead] = await take(account.watch().stream, 1);
    const { stream } = new Account().watch({ cursor: ahead?.cursor ?? '' });
    await expect(stream.next()).rejects.toMatchObject({ code: 'InvalidArgument', reason: 'CURSOR_INVALID' });
  });

  test('when it is none, and with it everything else that is wrong', async () => {
    const { stream } = new Account().watch({ cursor: 'x' });
    await expect(stream.next()).rejects.toMatchObject({ code: 'InvalidArgument', reason: 'CURSOR_INVALID' });
    const filtered = new Account().watch({ filter: { executor: '\n', kinds: ['warp'] } });
    await expect(filtered.stream.next()).rejects.toMatchObject({
      reason: 'INVALID_FIELD',
      violations: [{ field: 'filter.executor' }, { field: 'filter.kinds[0]' }],
    });
    await expect(new Account().watch({ filter: { executor: 'nobody' } }).stream.next()).rejects.toMatchObject({
      code: 'NotFound',
    });
  });
});
