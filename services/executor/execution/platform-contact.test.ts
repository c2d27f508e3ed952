import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DisconnectPolicy } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import type { Adapter, SessionPolicy } from '../adapters/adapter.ts';
import type { AgentClock } from '../agent-clock.ts';
import { silentLogger } from '../test-platform.ts';
import { lossFile } from './loss-file.ts';
import { PlatformContact } from './platform-contact.ts';

const START_MS = 1_000_000;

/** A machine's clocks, moved by hand; a restart of the agent sets the monotonic one back. */
class MachineClock extends ManualClock implements AgentClock {
  #bootMs = this.nowMs() - 3_600_000;
  #processMs = this.nowMs();

  reading() {
    const wallMs = this.nowMs();
    return { wallMs, uptimeMs: wallMs - this.#bootMs, monotonicMs: wallMs - this.#processMs + START_MS };
  }

  restartProcess(): void {
    this.#processMs = this.nowMs();
  }
}

let directory: string;
let clock: MachineClock;
let acted: string[];
let returned: number;
let policies: SessionPolicy[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'strategos-contact-'));
  clock = new MachineClock();
  acted = [];
  returned = 0;
  policies = [];
});

afterEach(() => rmSync(directory, { recursive: true }));

function newContact(): PlatformContact {
  const adapter: Adapter = {
    name: 'fake',
    kinds: [],
    execute: () => ({ status: 'succeeded' }),
    recover: () => 'unknown',
    status: () => ({}),
    disconnectPolicies: () => policies,
    applyDisconnectPolicy(sessionId, lostForMs) {
      acted.push(`${sessionId} after ${lostForMs}`);
      policies = policies.map((one) => (one.sessionId === sessionId ? { ...one, applied: true } : one));
      return Promise.resolve();
    },
    platformReturned() {
      returned += 1;
      policies = policies.map((one) => ({ ...one, applied: false }));
      return Promise.resolve();
    },
  };
  return new PlatformContact({
    adapter,
    clock,
    logger: silentLogger,
    memory: lossFile(directory),
    onFatal: (thrown) => {
      throw thrown;
    },
  });
}

function session(sessionId: string, policy: DisconnectPolicy, afterMs?: number): SessionPolicy {
  return { sessionId, policy, afterMs, applied: false };
}

/** Time passes, with a look every half second, as the agent does it. */
async function pass(contact: PlatformContact, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) {
    clock.advance(Math.min(500, left));
    contact.tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const entry = { kind: 'open_position', sessionId: 's' };

describe('while the platform is lost', () => {
  test('each policy acts once, when its session asks for it or else when it does by itself', async () => {
    policies = [
      session('hold', DisconnectPolicy.HOLD, 1_000),
      session('none', DisconnectPolicy.UNSPECIFIED),
      session('early', DisconnectPolicy.FLATTEN, 5_000),
      session('cancel', DisconnectPolicy.CANCEL_ORDERS),
      session('flatten', DisconnectPolicy.FLATTEN),
    ];
    const contact = newContact();
    contact.found();
    contact.lost();
    await pass(contact, 4_500);
    expect(acted).toEqual([]);
    await pass(contact, 5_000);
    expect(acted).toEqual(['early after 5000']);
    await pass(contact, 110_500);
    expect(acted).toEqual(['early after 5000', 'cancel after 10000', 'flatten after 60000']);
    await contact.close();
  });

  test('time counts from the last word of the platform, however late the loss is noticed', async () => {
    policies = [session('s', DisconnectPolicy.FLATTEN, 30_000)];
    const contact = newContact();
    contact.found();
    clock.advance(60_000);
    contact.heard();
    clock.advance(20_000);
    contact.lost();
    await pass(contact, 9_500);
    expect(acted).toEqual([]);
    await pass(contact, 500);
    expect(acted).toEqual(['s after 30000']);
    await contact.close();
  });

  test('a short interruption is none, and a new loss is another one', async () => {
    policies = [session('s', DisconnectPolicy.FLATTEN, 1_000)];
    const contact = newContact();
    contact.found();
    contact.lost();
    await pass(contact, 2_500);
    expect(contact.refusalOf(entry)).toBeUndefined();
    contact.found();
    await pass(contact, 10_000);
    expect(acted).toEqual([]);
    contact.lost();
    await pass(contact, 13_000);
    contact.found();
    contact.lost();
    await pass(contact, 3_000);
    expect(acted).toHaveLength(2);
    expect(returned).toBeGreaterThanOrEqual(2);
    await contact.close();
  });

  test('another machine that acts for this executor is no loss', async () => {
    policies = [session('s', DisconnectPolicy.FLATTEN, 1_000)];
    const contact = newContact();
    contact.found();
    contact.standBy();
    contact.lost();
    await pass(contact, 20_000);
    expect([acted, contact.refusalOf(entry)]).toEqual([[], undefined]);
    await contact.close();
  });
});

describe('an agent that restarts while the platform is lost', () => {
  test('goes on counting, after it has looked for a link', async () => {
    policies = [session('s', DisconnectPolicy.FLATTEN, 60_000)];
    const before = newContact();
    before.found();
    before.lost();
    await pass(before, 50_000);
    await before.close();
    clock.restartProcess();
    clock.advance(8_000);
    const after = newContact();
    await pass(after, 2_500);
    expect(acted).toEqual([]);
    await pass(after, 500);
    expect(acted).toEqual(['s after 61000']);
    await after.close();
  });

  test('counts from its start when it was not lost before, and forgets the loss that is over', async () => {
    policies = [session('s', DisconnectPolicy.FLATTEN, 60_000)];
    const before = newContact();
    before.lost();
    await pass(before, 50_000);
    before.found();
    await before.close();
    clock.advance(50_000);
    const after = newContact();
    await pass(after, 59_500);
    expect(acted).toEqual([]);
    await pass(after, 500);
    expect(acted).toEqual(['s after 60000']);
    await after.close();
  });
});

describe('an entry that has not started', () => {
  test.each([
    ['REDUCE_ONLY refuses', DisconnectPolicy.REDUCE_ONLY, 'open_position', true],
    ['REDUCE_ONLY lets the exit go', DisconnectPolicy.REDUCE_ONLY, 'close_position', false],
    ['HOLD starts', DisconnectPolicy.HOLD, 'open_position', false],
    ['FLATTEN refuses once it has acted', DisconnectPolicy.FLATTEN, 'open_position', true],
  ])('%s', async (_name, policy, kind, refused) => {
    policies = [session('s', policy, 10_000), session('other', DisconnectPolicy.HOLD)];
    const contact = newContact();
    contact.found();
    expect(contact.refusalOf({ kind, sessionId: 's' })).toBeUndefined();
    contact.lost();
    await pass(contact, 12_000);
    const refusal = contact.refusalOf({ kind, sessionId: 's' });
    expect(refusal === undefined).toBe(!refused);
    if (refused) {
      expect(refusal).toMatchObject({
        reason: 'PRECONDITION_FAILED',
        message: expect.stringContaining('the platform has not been heard for 12 s'),
        metadata: { disconnect_policy: DisconnectPolicy[policy].toLowerCase() },
      });
    }
    expect(contact.refusalOf({ kind, sessionId: 'other' })).toBeUndefined();
    contact.found();
    await new Promise((resolve) => setImmediate(resolve));
    expect(contact.refusalOf({ kind, sessionId: 's' })).toBeUndefined();
    await contact.close();
  });
});
