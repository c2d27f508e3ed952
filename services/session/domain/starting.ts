import { v7 as uuid } from 'uuid';
import { StatusError } from '../../platform/errors.ts';
import type { Draft } from './draft.ts';
import { type ActivationRecord, CLOCKS_APART_MS_MAX, type CommandRecord, hasEnded } from './records.ts';
import { tidyUp } from './stopping.ts';

/** Instances that a session may have over its life, ended ones too: each change reads all of them, and evaluators take no more at once. */
export const INSTANCES_MAX = 1_000;

/** A strategy as it was read from the strategy service, with what it is to trade. */
export interface PinnedStrategy {
  readonly strategyId: string;
  readonly strategyName: string;
  readonly revision: number;
  readonly symbols: readonly string[];
}

/** Activations of one call. */
export interface Batch {
  readonly strategies: readonly PinnedStrategy[];
  readonly allowPartial: boolean;
  readonly deadlineMs: number;
}

/** What is known of one activation while it starts. */
interface Standing {
  readonly activation: ActivationRecord;
  readonly verdict: 'ready' | 'waiting' | 'failed';
  readonly missing: readonly string[];
}

export function startSessionRequestId(sessionId: string): string {
  return `start:${sessionId}`;
}

/** Writes down everything that a start asks for; nothing has happened yet when this is durable. */
export function planSession(draft: Draft, batch: Batch): void {
  const { id, mode } = draft.session;
  const symbols = [...new Set(batch.strategies.flatMap((strategy) => strategy.symbols))];
  if (mode !== 'BACKTEST') {
    draft.want({
      requestId: startSessionRequestId(id),
      purpose: 'START_SESSION',
      subjectId: id,
      // Not limited here: a symbol that is added later must not be refused by the executor.
      wish: { type: 'START_SESSION', symbols: [] },
    });
  }
  planBatch(draft, batch);
  draft.setSession({ reason: `starting ${batch.strategies.length} strategies on ${symbols.join(', ')}` });
}

/** Adds strategies on symbols; returns the ids of their instances. @throws StatusError above INSTANCES_MAX, with nothing added. */
export function planBatch(draft: Draft, { strategies, allowPartial, deadlineMs }: Batch): string[] {
  const { id, mode, state } = draft.session;
  const wantedCount = strategies.reduce((sum, { symbols }) => sum + symbols.length, 0);
  const count = draft.activations.length + wantedCount;
  if (count > INSTANCES_MAX) {
    throw new StatusError(
      'FailedPrecondition',
      'STATE_ILLEGAL',
      `the session would have had ${count} instances, ended ones counted, and may have ${INSTANCES_MAX}; start another session`,
      { metadata: { state: 'INSTANCES_MAX', instances_max: String(INSTANCES_MAX) } },
    );
  }
  const batchId = uuid();
  return strategies.flatMap(({ symbols, strategyId, strategyName, revision }) =>
    symbols.map((symbol) => {
      const instanceId = uuid();
      const startRequestId = `start:${instanceId}`;
      draft.addActivation({
        instanceId,
        sessionId: id,
        strategyId,
        strategyName,
        symbol,
        revision,
        state: 'PENDING',
        missing: [],
        batchId,
        allowPartial,
        startDeadlineTimeMs: deadlineMs,
        wanted: state === 'PAUSED' ? 'PAUSE' : 'RUN',
        told: null,
        applied: false,
        evaluatorFault: '',
        closePositions: false,
        blindTimeMs: null,
        startRequestId,
        commandId: '',
        createTimeMs: draft.nowMs,
        updateTimeMs: draft.nowMs,
      });
      if (mode !== 'BACKTEST') {
        draft.want({
          requestId: startRequestId,
          purpose: 'START_STRATEGY',
          subjectId: instanceId,
          wish: { type: 'START_STRATEGY', strategyId, symbol, revision },
        });
      }
      return instanceId;
    }),
  );
}

/**
 * Looks at every activation that has no answer yet, and answers those that can be answered: ACTIVE when its evaluator has
 * applied the revision and the executor has confirmed; otherwise FAILED, alone or with all of its call.
 */
export function settleStart(draft: Draft): void {
  const pending = draft.activations.filter(({ state }) => state === 'PENDING');
  for (const batchId of new Set(pending.map((activation) => activation.batchId))) {
    const standings = pending.filter((each) => each.batchId === batchId).map((each) => standingOf(draft, each));
    settleBatch(draft, standings);
  }
  settleSession(draft);
}

function settleBatch(draft: Draft, standings: readonly Standing[]): void {
  const allowPartial = standings.every(({ activation }) => activation.allowPartial);
  const failed = standings.some(({ verdict }) => verdict === 'failed');
  const ready = standings.every(({ verdict }) => verdict === 'ready');
  for (const { activation, verdict, missing } of standings) {
    const fails = verdict === 'failed' || (failed && !allowPartial);
    if (fails) fail(draft, activation, missing.length > 0 ? missing : ['taken back, because another strategy failed']);
    else if (verdict === 'ready' && (ready || allowPartial)) {
      draft.setActivation(activation.instanceId, { state: 'ACTIVE', missing: [] });
    } else draft.setActivation(activation.instanceId, { missing: [...missing] });
  }
}

function settleSession(draft: Draft): void {
  if (draft.session.state !== 'STARTING') return;
  const { activations } = draft;
  if (activations.some(({ state }) => state === 'PENDING')) return;
  if (activations.some(({ state }) => state === 'ACTIVE')) {
    draft.step('ACTIVE', '');
    return;
  }
  draft.step('FAILED', `could not be started: ${failureText(activations)}`);
  tidyUp(draft);
}

/** Every activation that failed and what it lacks, in a sentence. */
export function failureText(activations: readonly ActivationRecord[]): string {
  return activations
    .filter(({ state }) => state === 'FAILED')
    .map(({ strategyName, symbol, missing }) => `${strategyName} on ${symbol}: ${missing.join(', ')}`)
    .join('; ');
}

function fail(draft: Draft, activation: ActivationRecord, missing: readonly string[]): void {
  draft.setActivation(activation.instanceId, { state: 'FAILED', missing, wanted: 'END' });
  // A session that goes on must not keep what was started of this one; one that fails is stopped as a whole.
  if (draft.session.state === 'STARTING' && !activation.allowPartial) return;
  if (draft.session.mode === 'BACKTEST') return;
  draft.want({
    requestId: `stop:${activation.instanceId}`,
    purpose: 'STOP_STRATEGY',
    subjectId: activation.instanceId,
    wish: {
      type: 'STOP_STRATEGY',
      strategyId: activation.strategyId,
      symbol: activation.symbol,
      closePositions: true,
    },
  });
}

function standingOf(draft: Draft, activation: ActivationRecord): Standing {
  const { session, nowMs } = draft;
  const missing: string[] = [];
  let broken = false;
  if (session.mode !== 'BACKTEST') {
    for (const [what, requestId] of [
      ['the session', startSessionRequestId(session.id)],
      [`revision ${activation.revision}`, activation.startRequestId],
    ] as const) {
      const command = draft.command(requestId);
      if (command === undefined || command.state === 'SUCCEEDED') continue;
      broken ||= hasEnded(command);
      missing.push(`executor ${session.executorName} ${confirmationText(command, what)}`);
    }
  }
  if (activation.evaluatorFault !== '') {
    broken = true;
    missing.push(`evaluator: ${activation.evaluatorFault}`);
  } else if (!activation.applied) missing.push(`no evaluator has applied revision ${activation.revision} yet`);
  const { startDeadlineTimeMs, createTimeMs } = activation;
  // Asked for before the clock was set back: whoever waits for it has an answer before the clock has caught up.
  const isOver = nowMs >= startDeadlineTimeMs || createTimeMs > nowMs + CLOCKS_APART_MS_MAX;
  const late = missing.length > 0 && isOver;
  return { activation, missing, verdict: broken || late ? 'failed' : missing.length > 0 ? 'waiting' : 'ready' };
}

function confirmationText(command: CommandRecord, what: string): string {
  if (!hasEnded(command)) return `has not confirmed ${what} yet (the command is ${command.state})`;
  return `did not take ${what}: ${command.message === '' ? command.state : command.message}`;
}
