import { describe, expect, test } from 'vitest';
import { checkHistory, describeViolations } from './history-checker.ts';
import { fromLines, type HistoryRecord, toLines } from './history-record.ts';
import { Story } from './told-history.ts';
import type { InvariantName } from './violation.ts';

/** Names of the invariants that a history breaks, each once. */
function broken(records: readonly HistoryRecord[]): InvariantName[] {
  return [...new Set(checkHistory(records).map((violation) => violation.invariant))];
}

/** Two orders of one instance, one after the other, both succeeded. */
function twoOrders(): Story {
  const story = new Story();
  story.issue('a', { key: '/s/x/BTC' });
  story.issue('b', { key: '/s/x/BTC' });
  story.run('a');
  story.run('b');
  return story;
}

describe('good histories', () => {
  test('an empty one', () => {
    expect(checkHistory([])).toEqual([]);
  });

  test('one after the other', () => {
    const violations = checkHistory(twoOrders().told());
    expect(describeViolations(violations)).toBe('');
  });

  test('unrelated keys run side by side and in any order', () => {
    const story = new Story();
    story.issue('a', { key: '/s/x/BTC' });
    story.issue('b', { key: '/s/x/ETH' });
    story.issue('c', { key: '' });
    story.step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start');
    story.run('c');
    story.run('b');
    story.act('a', 'effect').act('a', 'result').step('a', 'SUCCEEDED');
    expect(broken(story.told())).toEqual([]);
  });

  test('calls that overlap have no order, but their sequence has', () => {
    const story = new Story();
    story.call('a', { key: '/s' }).call('b', { key: '/s' });
    story.store('b').store('a').answer('a').answer('b');
    story.run('b');
    story.run('a');
    expect(broken(story.told())).toEqual([]);
  });

  test('a call repeated for want of an answer', () => {
    const story = new Story();
    story.call('a').store('a').answer('a', { outcome: 'uncertain', reason: 'Unavailable' });
    story.call('a').answer('a', { already: true });
    story.run('a');
    expect(broken(story.told())).toEqual([]);
  });

  test('a kill switch overtakes, and what it overtakes in vain is cancelled', () => {
    const story = new Story();
    story.issue('entry', { kind: 'open_position', key: '/s/x/BTC' });
    story.issue('other', { kind: 'close_position', key: '/s/x/BTC' });
    story.issue('stop', { kind: 'stop_all', key: '/' });
    story.step('entry', 'CANCELLED');
    story.run('stop');
    story.run('other');
    expect(broken(story.told())).toEqual([]);
  });

  test('an unknown outcome that a late answer settles', () => {
    const story = new Story();
    story.issue('a');
    story.step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start').act('a', 'effect');
    story.step('a', 'OUTCOME_UNKNOWN').act('a', 'result').settle('a', 'SUCCEEDED').acknowledge('a', 'SUCCEEDED');
    expect(broken(story.told())).toEqual([]);
  });

  test('a passing failure that is tried again', () => {
    const story = new Story();
    story.issue('a');
    story.step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start').act('a', 'result').retry('a');
    story.acknowledge('a', 'FAILED', { retryable: true });
    story.run('a');
    expect(broken(story.told())).toEqual([]);
  });

  test('a start that failed in passing before its stop was issued, and was cancelled', () => {
    const story = new Story();
    story.issue('start', { kind: 'start_strategy', key: '/s/x/BTC' });
    story.step('start', 'SENT', 'RECEIVED', 'RUNNING').act('start', 'start').act('start', 'result').retry('start');
    story.issue('stop', { kind: 'stop_session', key: '/s' }).step('start', 'CANCELLED').run('stop');
    expect(broken(story.told())).toEqual([]);
  });

  test('a deadline that passed while the platform was away', () => {
    const story = new Story();
    story.issue('a', { finishByMs: story.nowMs + 100 });
    const fromMs = story.nowMs;
    story.wait(10_000);
    story.fault({ name: 'postgres stopped', atMs: fromMs, untilMs: story.nowMs, platformAway: true });
    story.step('a', 'EXPIRED');
    expect(broken(story.told())).toEqual([]);
  });

  test('a poisoned row in quarantine beside a good one', () => {
    const story = twoOrders();
    story.issue('bad').step('bad', 'FAILED').poison('bad').quarantine('bad', 'parameters: junk');
    expect(broken(story.told())).toEqual([]);
  });
});

describe('bad histories', () => {
  const cases: readonly (readonly [InvariantName, string, () => readonly HistoryRecord[]])[] = [
    [
      'I1',
      'an accepted command is not stored',
      () =>
        twoOrders()
          .told()
          .filter((r) => r.type !== 'command' || r.commandId !== 'a'),
    ],
    ['I1', 'a command is left open', () => new Story().issue('a').step('a', 'SENT').told()],
    [
      'I1',
      'a command ends long after its finish_by',
      () => {
        const story = new Story();
        story.issue('a', { finishByMs: story.nowMs + 100 });
        return story.wait(10_000).step('a', 'EXPIRED').told();
      },
    ],
    [
      'I1',
      'an outage that was over long before excuses nothing',
      () => {
        const story = new Story();
        story.issue('a', { finishByMs: story.nowMs + 100 });
        story.fault({ name: 'postgres stopped', atMs: story.nowMs, untilMs: story.nowMs + 50, platformAway: true });
        return story.wait(10_000).step('a', 'EXPIRED').told();
      },
    ],
    ['I1', 'success without an effect', () => new Story().issue('a').agent().step('a', 'SENT', 'SUCCEEDED').told()],
    [
      'I1',
      'expired, and it had its effect',
      () => new Story().issue('a').step('a', 'SENT').act('a', 'start').act('a', 'effect').step('a', 'EXPIRED').told(),
    ],
    ['I2', 'a terminal state is left', () => new Story().issue('a').step('a', 'EXPIRED', 'SENT', 'CANCELLED').told()],
    ['I2', 'two ends', () => new Story().issue('a').step('a', 'EXPIRED', 'CANCELLED').told()],
    [
      'I2',
      'settled twice',
      () =>
        new Story().issue('a').step('a', 'OUTCOME_UNKNOWN').settle('a', 'OUTCOME_UNKNOWN').settle('a', 'FAILED').told(),
    ],
    [
      'I2',
      'a step does not go on from where the last one ended',
      () => new Story().issue('a').step('a', 'SENT').jump('a', 'RUNNING', 'CANCELLED').told(),
    ],
    [
      'I2',
      'the stored state is not where the history ends',
      () =>
        new Story()
          .issue('a')
          .step('a', 'CANCELLED')
          .told()
          .map((r) => (r.type === 'command' ? { ...r, state: 'FAILED' } : r)),
    ],
    ['I2', 'said to be cancelled, and executed', () => new Story().issue('a').cancelled('a').run('a').told()],
    ['I3', 'two effects of one agent', () => twoOrders().act('a', 'effect').told()],
    ['I3', 'an effect of each of two agents', () => twoOrders().act('a', 'effect', { agent: 'second' }).told()],
    [
      'I4',
      'started against the order of the calls',
      () => {
        const story = new Story().issue('a', { key: '/s/x/BTC' }).issue('b', { key: '/s' });
        return story.run('b').run('a').told();
      },
    ],
    [
      'I4',
      'started beside an unfinished one of the same key',
      () => {
        const story = new Story().issue('a', { key: '/s' }).issue('b', { key: '/s/x/BTC' });
        story.step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start');
        story.run('b');
        return story.act('a', 'effect').act('a', 'result').step('a', 'SUCCEEDED').told();
      },
    ],
    [
      'I4',
      'a repetition started after a later command',
      () => {
        const story = new Story().issue('a', { key: '/s' }).issue('b', { key: '/s' });
        story.step('a', 'SENT', 'RECEIVED', 'RUNNING').act('a', 'start').act('a', 'result').retry('a');
        return story.run('b').run('a').told();
      },
    ],
    [
      'I4',
      'overlapping calls that started against their sequence',
      () => {
        const story = new Story().call('a', { key: '/s' }).call('b', { key: '/s' });
        story.store('a').store('b').answer('a').answer('b');
        return story.run('b').run('a').told();
      },
    ],
    [
      'I4',
      'the sequence contradicts the calls',
      () => {
        const story = new Story().issue('a', { key: '/s' }).issue('b', { key: '/t' });
        story.run('a').run('b');
        return story.told().map((r) => (r.type === 'command' ? { ...r, sequence: 100 - r.sequence } : r));
      },
    ],
    [
      'I5',
      'started after its not_after',
      () => {
        const story = new Story();
        story.issue('a', { notAfterMs: story.nowMs + 1_000 });
        return story.wait(5_000).run('a').told();
      },
    ],
    ['I6', "another executor's agent got it", () => new Story().issue('a').run('a', { executor: 'e2' }).told()],
    ['I6', "another account's agent got it", () => new Story().issue('a').run('a', { account: 'other' }).told()],
    [
      'I6',
      'stored for another executor',
      () =>
        twoOrders()
          .told()
          .map((r) => (r.type === 'issue' && r.requestId === 'a' ? { ...r, executor: 'e2' } : r)),
    ],
    [
      'I6',
      "a watcher sees another account's command",
      () =>
        twoOrders()
          .told()
          .map((r) => (r.type === 'watched' || r.type === 'history' ? { ...r, account: 'other' } : r)),
    ],
    [
      'I7',
      'two commands of one request',
      () =>
        twoOrders()
          .told()
          .map((r) => (r.type === 'command' ? { ...r, requestId: 'a' } : r)),
    ],
    [
      'I7',
      'one request, two answers',
      () => {
        const story = twoOrders();
        return story.call('a').answer('a', { commandId: 'b', already: true }).told();
      },
    ],
    [
      'I7',
      'accepted with another body',
      () => twoOrders().call('a', { body: 'other' }).answer('a', { already: true }).told(),
    ],
    ['I7', 'new twice', () => twoOrders().call('a').answer('a', { already: false }).told()],
    [
      'I7',
      'refused and stored',
      () =>
        new Story().call('a').store('a').answer('a', { outcome: 'refused', reason: 'RATE_LIMITED' }).run('a').told(),
    ],
    [
      'I8',
      'sent under an older epoch',
      () => {
        const story = new Story().issue('a', { key: '/s' }).issue('b', { key: '/t' });
        return story.epoch(5).run('a').epoch(4).run('b').told();
      },
    ],
    [
      'I9',
      'a start that waited when its stop was issued',
      () => {
        const story = new Story().issue('start', { kind: 'start_strategy', key: '/s/x/BTC' });
        story.issue('stop', { kind: 'stop_session', key: '/s' });
        return story.run('start').run('stop').told();
      },
    ],
    [
      'I9',
      'a start that is tried again although its stop was issued meanwhile',
      () => {
        const story = new Story().issue('start', { kind: 'start_strategy', key: '/s/x/BTC' });
        story.step('start', 'SENT', 'RECEIVED', 'RUNNING').act('start', 'start').act('start', 'result').retry('start');
        return story.issue('stop', { kind: 'stop_session', key: '/s' }).run('start').run('stop').told();
      },
    ],
    [
      'I9',
      'a start after its stop had started',
      () => {
        const story = new Story().issue('start', { kind: 'open_position', key: '/s/x/BTC' });
        story.step('start', 'SENT').issue('stop', { kind: 'stop_all', key: '/' });
        story.run('stop').act('start', 'start').act('start', 'effect').act('start', 'result');
        return story.step('start', 'SUCCEEDED').told();
      },
    ],
    ['I12', 'acknowledged and not in the history', () => twoOrders().acknowledge('a', 'FAILED').told()],
    ['I12', 'acknowledged for a command that is gone', () => twoOrders().acknowledge('c', 'SUCCEEDED').told()],
    ['I13', 'poison that is not set aside', () => twoOrders().issue('bad').step('bad', 'FAILED').poison('bad').told()],
    [
      'I13',
      'poison without a reason',
      () => twoOrders().issue('bad').step('bad', 'FAILED').poison('bad').quarantine('bad', '').told(),
    ],
    ['I13', 'a good row set aside', () => twoOrders().quarantine('a', 'parameters: junk').told()],
    ['I13', 'poison that reached an agent', () => twoOrders().poison('a').quarantine('a', 'parameters: junk').told()],
    [
      'I13',
      'a command that did not go on beside poison',
      () => new Story().issue('bad').step('bad', 'FAILED').poison('bad').quarantine('bad', 'junk').issue('a').told(),
    ],
    ['WATCH', 'a watcher missed one', () => without(twoOrders().told(), 'watched', 3)],
    ['WATCH', 'a watcher saw one twice', () => withTwice(twoOrders().told(), 'watched', 3)],
    ['WATCH', 'a watcher was told of what is not in the history', () => without(twoOrders().told(), 'history', 9)],
  ];

  test.each(cases)('%s: %s', (invariant, _what, records) => {
    expect(broken(records())).toContain(invariant);
  });

  test('the evidence is named and shown', () => {
    const [violation] = checkHistory(twoOrders().act('a', 'effect').told());
    expect(violation?.message).toBe('command a took effect 2 times');
    expect(describeViolations(violation === undefined ? [] : [violation])).toContain('"type":"effect"');
  });
});

describe('recorded lines', () => {
  test('come back as they were, without a last line that was cut off', () => {
    const records = twoOrders().told();
    expect(fromLines(`${toLines(records)}{"type":"eff`)).toEqual(records);
  });

  test('a line in between that is no record is an error that names it', () => {
    expect(() => fromLines('{"type":"poisoned","commandId":"a"}\nnonsense\n')).toThrow('line 2');
  });
});

test('ten thousand commands of one key are judged in seconds', () => {
  const story = new Story();
  for (let n = 0; n < 10_000; n++) story.issue(`c${n}`, { key: n % 2 === 0 ? '/s' : `/s/x/${n}` });
  for (let n = 0; n < 10_000; n++) story.run(`c${n}`);
  const records = story.told();
  const before = process.cpuUsage();
  expect(checkHistory(records)).toEqual([]);
  // Of this process: the clock would measure its neighbours.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(10_000);
});

function nth(records: readonly HistoryRecord[], type: HistoryRecord['type'], n: number): number {
  return records.findIndex(
    (record) => record.type === type && records.filter((r) => r.type === type).indexOf(record) === n,
  );
}

function without(records: readonly HistoryRecord[], type: HistoryRecord['type'], n: number): HistoryRecord[] {
  return records.toSpliced(nth(records, type, n), 1);
}

function withTwice(records: readonly HistoryRecord[], type: HistoryRecord['type'], n: number): HistoryRecord[] {
  const at = nth(records, type, n);
  const record = records[at];
  return record === undefined ? [...records] : records.toSpliced(at, 0, record);
}
