import { Draft } from './draft.ts';
import type { IntentBody } from './intent-body.ts';
import { applyIntent } from './intents.ts';
import type { SessionRecord } from './records.ts';
import type { Observed } from './observed.ts';
import { applyObserved } from './results.ts';
import { planSession, startSessionRequestId } from './starting.ts';

export const NOW_MS = Date.UTC(2024, 0, 1);
export const SYMBOL = 'BTC_USDT';

/** A session of ten thousand on an executor; `patch` says what is different. */
export function sessionRecord(patch: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id: '0190f3c1-2f7a-7000-8000-000000000001',
    accountId: 'main',
    requestId: null,
    fingerprint: null,
    author: 'tester',
    mode: 'PAPER',
    state: 'STARTING',
    reason: '',
    executorId: '0190f3c1-2f7a-7000-8000-000000000002',
    executorName: 'vps-1',
    pinPolicy: 'FOLLOW_LATEST',
    disconnectPolicy: 'HOLD',
    disconnectAfterMs: 60_000,
    initialBalance: '10000',
    realisedPnl: '0',
    equity: '10000',
    peakEquity: '10000',
    maxDrawdownPct: '0',
    balance: '',
    dataset: '',
    progressPercent: 0,
    closePositions: false,
    haltId: null,
    stopAttempt: 0,
    bookedCommandIds: [],
    version: 0,
    createTimeMs: NOW_MS,
    startTimeMs: null,
    stopTimeMs: null,
    ...patch,
  };
}

/** A session that is starting the strategies of these names, each on one symbol. */
export function starting(
  names: readonly string[],
  { allowPartial = false, ...patch }: Partial<SessionRecord> & { readonly allowPartial?: boolean } = {},
): Draft {
  const empty = { activations: [], signals: [], positions: [], commands: [] };
  const draft = new Draft({ session: sessionRecord(patch), ...empty }, NOW_MS);
  const strategies = names.map((name) => ({
    strategyId: `id-${name}`,
    strategyName: name,
    revision: 3,
    symbols: [SYMBOL],
  }));
  planSession(draft, { strategies, allowPartial, deadlineMs: NOW_MS + 20_000 });
  return draft;
}

/** A session that runs one strategy. */
export function running(patch: Partial<SessionRecord> = {}): Draft {
  const draft = starting(['pump'], patch);
  for (const { instanceId } of draft.activations) draft.setActivation(instanceId, { applied: true, told: 'RUN' });
  for (const { requestId } of draft.commands) observe(draft, requestId, {});
  return draft;
}

/** The same session, loaded again at another time: what was written stays, what was told is forgotten. */
export function later(draft: Draft, ms: number): Draft {
  const { session, activations, signals, positions, commands } = draft;
  return new Draft({ session, activations, signals, positions, commands }, draft.nowMs + ms);
}

export function observe(draft: Draft, requestId: string, patch: Partial<Observed>): void {
  applyObserved(draft, {
    requestId,
    commandId: `command of ${requestId}`,
    state: 'SUCCEEDED',
    reason: '',
    message: '',
    finishTimeMs: draft.nowMs,
    fills: [],
    closedBy: '',
    positions: undefined,
    ...patch,
  });
}

export function startRequestId(draft: Draft): string {
  return startSessionRequestId(draft.session.id);
}

/** What the session's first instance decides. */
export function decide(draft: Draft, type: IntentBody['type'], id: string, patch: Partial<IntentBody> = {}): void {
  applyIntent(draft, {
    id,
    instanceId: draft.activations[0]?.instanceId ?? '',
    type,
    section: type === 'EXIT' ? 'ZE1_CLOSE' : 'Z1_ENTRY',
    reason: 'conditions_met',
    revision: 3,
    marketTimeMs: NOW_MS - 1_000,
    price: '100',
    terms: { z1Entry: { positionSize: { type: 'percentage', value: 2 } } },
    inputs: [],
    ...patch,
  });
}

export function fill(price: string, quantity = '2', fee = '') {
  return { symbol: SYMBOL, quantity, price, fee, timeMs: NOW_MS, sessionId: '', strategyId: '' };
}

/** What the evaluator is told: type, reason. */
export function told(draft: Draft): string[] {
  return (draft.result()?.outcomes ?? []).map(({ type, reason }) => `${type} ${reason}`);
}
