import { describe, expect, test } from 'vitest';
import { type CommandFacts, failedCommands, statsRules, stuckCommands } from './command-rules.ts';
import type { Thresholds } from './condition.ts';
import { blindMarkets, deadDelivery, downServices, offlineExecutors } from './presence-rules.ts';

const NOW_MS = Date.UTC(2024, 0, 1, 12);
const LIMITS: Thresholds = {
  windowMs: 900_000,
  successRateMin: 0.99,
  p95MsMax: 2_000,
  commandsMin: 20,
  offlineMs: 30_000,
  overdueMs: 30_000,
};

function command(id: string, overrides: Partial<CommandFacts> = {}): CommandFacts {
  const open = { state: 'SENT', finishMs: null, dueMs: NOW_MS + 1_000, error: '' };
  return { id, executor: 'vps-1', kind: 'ping', ...open, ...overrides };
}

describe('commands', () => {
  test('that failed within the window are one condition an executor, which names the last one', () => {
    const failed = { state: 'FAILED', dueMs: null, error: 'no margin' };
    const conditions = failedCommands(
      'main',
      [
        command('a', { ...failed, finishMs: NOW_MS - 60_000 }),
        command('b', { ...failed, finishMs: NOW_MS - 1_000 }),
        command('old', { ...failed, finishMs: NOW_MS - 900_001 }),
        command('c', { ...failed, finishMs: NOW_MS, executor: 'vps-2' }),
      ],
      LIMITS,
      NOW_MS,
    );
    expect(conditions.map(({ subject }) => subject)).toEqual(['vps-1', 'vps-2']);
    expect(conditions[0]).toMatchObject({
      rule: 'COMMAND_FAILED',
      sentence: '2 commands to executor vps-1 failed within 15 min; the last, ping b, ended FAILED: no margin',
      next: 'strategos command explain b',
    });
  });

  test('are stuck when they are past due or nobody knows their outcome', () => {
    const commands = [
      command('waits'),
      command('late', { dueMs: NOW_MS - 30_001 }),
      command('unknown', { state: 'OUTCOME_UNKNOWN', dueMs: null }),
      command('just due', { dueMs: NOW_MS - 30_000 }),
    ];
    expect(stuckCommands('main', commands, LIMITS, NOW_MS)).toMatchObject([
      {
        subject: 'vps-1',
        sentence:
          'of 2 commands to executor vps-1 nobody knows the end: 1 with an unknown outcome, 1 past due; one of them is ping late',
      },
    ]);
  });

  test.each([
    ['enough succeed and fast enough', { tried: 20, successRate: 0.99, p95Ms: 2_000, measured: 20 }, []],
    ['too few succeed', { tried: 20, successRate: 0.98, p95Ms: 1, measured: 20 }, ['SUCCESS_RATE']],
    ['too slow', { tried: 20, successRate: 1, p95Ms: 2_001, measured: 20 }, ['LATENCY']],
    ['too few to say', { tried: 19, successRate: 0, p95Ms: 9_999, measured: 19 }, []],
    ['too few measured', { tried: 20, successRate: 1, p95Ms: 9_999, measured: 19 }, []],
    ['nothing measured', { tried: 20, successRate: 1, p95Ms: null, measured: 0 }, []],
  ])('in numbers: %s', (_, stats, rules) => {
    expect(statsRules('main', stats, LIMITS).map(({ rule }) => rule)).toEqual(rules);
  });

  test('a rate just below the limit never looks like the limit', () => {
    const [condition] = statsRules('main', { tried: 1e6, successRate: 0.989_999, p95Ms: null, measured: 0 }, LIMITS);
    expect(condition?.sentence).toBe('98.99 % of 1000000 commands within 15 min succeeded, less than 99 %');
  });
});

describe('presence', () => {
  test('an executor is missed after a while, one that never came or was disabled is not', () => {
    const away = { state: 'OFFLINE' as const, queued: 3, disconnectReason: 'stream broken', refusal: null };
    const executors = [
      { ...away, name: 'long', lastSeenMs: NOW_MS - 30_001 },
      { ...away, name: 'short', lastSeenMs: NOW_MS - 30_000 },
      { ...away, name: 'never', lastSeenMs: null },
      { ...away, name: 'disabled', state: 'OTHER' as const, lastSeenMs: 0 },
    ];
    expect(offlineExecutors('main', executors, LIMITS, NOW_MS)).toMatchObject([
      {
        subject: 'long',
        sentence: 'executor long is offline since 2024-01-01T11:59:29.999Z (stream broken); 3 commands wait for it',
      },
    ]);
  });

  test('an executor whose agent is refused is missed with the reason, also when it never came; a wrong secret alone is nothing', () => {
    const refusal = {
      sinceMs: NOW_MS - 40_000,
      atMs: NOW_MS,
      why: 'too old (CONTRACT_UNSUPPORTED)',
      remedy: 'install',
      isProven: true,
    };
    const away = { queued: 3, disconnectReason: '', refusal };
    const never = { ...away, state: 'NEVER_CONNECTED' as const, lastSeenMs: null };
    const executors = [
      { ...away, name: 'gone', state: 'OFFLINE' as const, lastSeenMs: NOW_MS - 60_000 },
      {
        ...away,
        name: 'moved',
        state: 'OFFLINE' as const,
        lastSeenMs: NOW_MS - 35_000,
        refusal: { ...refusal, sinceMs: NOW_MS - 90_000_000 },
      },
      { ...never, name: 'new' },
      { ...never, name: 'just begun', refusal: { ...refusal, sinceMs: NOW_MS - 30_000 } },
      { ...never, name: 'given up', refusal: { ...refusal, sinceMs: NOW_MS - 900_000, atMs: NOW_MS - 600_000 } },
      { ...never, name: 'guessed', refusal: { ...refusal, isProven: false } },
    ];
    const why = 'its agent is refused since 2024-01-01T11:59:20.000Z: too old (CONTRACT_UNSUPPORTED)';
    expect(offlineExecutors('main', executors, LIMITS, NOW_MS)).toMatchObject([
      {
        subject: 'gone',
        sentence: `executor gone is offline since 2024-01-01T11:59:00.000Z: ${why}; 3 commands wait for it`,
        next: 'install',
      },
      { subject: 'moved', sentence: expect.stringContaining('its agent is refused since 2024-01-01T11:59:25.000Z') },
      { subject: 'new', sentence: `executor new has never connected: ${why}; 3 commands wait for it`, next: 'install' },
    ]);
  });

  test('a blind market is told, others are not', () => {
    const markets = [
      { symbol: 'BTC_USDT', isBlind: true, lastEventMs: null },
      { symbol: 'ETH_USDT', isBlind: false, lastEventMs: NOW_MS },
    ];
    expect(blindMarkets('main', markets).map(({ subject }) => subject)).toEqual(['BTC_USDT']);
  });

  test('delivery is dead only when both ways are', () => {
    const [streams, polling] = ['none of 2 command replicas serves', 'the gateway does not answer'];
    expect(deadDelivery({ streamsDeadBecause: streams, pollingDeadBecause: undefined })).toEqual([]);
    expect(deadDelivery({ streamsDeadBecause: undefined, pollingDeadBecause: polling })).toEqual([]);
    expect(deadDelivery({ streamsDeadBecause: streams, pollingDeadBecause: polling })).toMatchObject([
      { accountId: '', rule: 'DELIVERY_DEAD', sentence: `no executor can be reached: ${streams}, and ${polling}` },
    ]);
  });

  test('a service is down only when no replica of it serves', () => {
    const services = [
      { service: 'session', replicas: 1, serving: 0 },
      { service: 'evaluator', replicas: 2, serving: 1 },
      { service: 'market', replicas: 2, serving: 0 },
    ] as const;
    expect(downServices(services)).toMatchObject([
      {
        accountId: '',
        subject: 'session',
        sentence: expect.stringMatching(/^session does not serve: what strategies/),
      },
      { accountId: '', subject: 'market', sentence: expect.stringMatching(/^none of 2 replicas of market serves: no/) },
    ]);
  });
});
