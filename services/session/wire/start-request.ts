import { createHash } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import {
  DisconnectPolicy,
  DisconnectPolicySchema,
  SessionMode,
  SessionModeSchema,
} from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import { PinPolicy, PinPolicySchema } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import {
  type StartSessionRequest,
  StartSessionRequestSchema,
  type StrategySelection,
} from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import type {
  DisconnectPolicy as PolicyName,
  PinPolicy as PinName,
  SessionMode as ModeName,
} from '../domain/records.ts';
import { checksOf, type FieldChecks } from './field-checks.ts';

const WAIT_MS = { absent: 20_000, maxMs: 60_000 } as const;
const DISCONNECT_AFTER_MS = { absent: 60_000, maxMs: 24 * 3_600_000 } as const;
const SELECTIONS_MAX = 100;
const LABELS_MAX = 32;
const REVISION_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** A strategy by name or id, with the symbols in upper case. */
export interface Selection {
  readonly strategy: string;
  readonly symbols: readonly string[];
  /** 0: the newest. */
  readonly revision: number;
}

/** A start that has been checked. */
export interface StartWish {
  readonly mode: ModeName;
  readonly executor: string;
  readonly executorLabels: Readonly<Record<string, string>>;
  readonly selections: readonly Selection[];
  readonly pinPolicy: PinName;
  readonly disconnectPolicy: PolicyName;
  readonly disconnectAfterMs: number;
  readonly initialBalance: string;
  readonly allowPartial: boolean;
  readonly requestId: string;
  readonly waitMs: number;
  readonly dataset: string;
  /** SHA-256 of what was asked, in hex. */
  readonly fingerprint: string;
}

const MODES: Readonly<Partial<Record<SessionMode, ModeName>>> = {
  [SessionMode.PAPER]: 'PAPER',
  [SessionMode.LIVE]: 'LIVE',
  [SessionMode.BACKTEST]: 'BACKTEST',
};
const POLICIES: Readonly<Partial<Record<DisconnectPolicy, PolicyName>>> = {
  [DisconnectPolicy.REDUCE_ONLY]: 'REDUCE_ONLY',
  [DisconnectPolicy.CANCEL_ORDERS]: 'CANCEL_ORDERS',
  [DisconnectPolicy.FLATTEN]: 'FLATTEN',
};

/** @throws INVALID_ARGUMENT with everything that is wrong. */
export function parseStartRequest(request: StartSessionRequest): StartWish {
  const checks = checksOf(StartSessionRequestSchema, request);
  checks.enumeration('mode', SessionModeSchema, request.mode, true);
  checks.enumeration('pin_policy', PinPolicySchema, request.pinPolicy);
  checks.enumeration('disconnect_policy', DisconnectPolicySchema, request.disconnectPolicy);
  checks.requestId(request.requestId);
  const backtest = request.mode === SessionMode.BACKTEST;
  checks.amount('initial_balance', request.initialBalance, request.mode !== SessionMode.LIVE);
  checkExecutor(request, backtest, checks);
  const selections = selectionsOf(request.strategies, checks);
  checkDataset(request, backtest, selections, checks);
  const wish = {
    mode: MODES[request.mode] ?? 'PAPER',
    executor: request.executor,
    executorLabels: request.executorLabels,
    selections,
    pinPolicy: request.pinPolicy === PinPolicy.PINNED ? ('PINNED' as const) : ('FOLLOW_LATEST' as const),
    disconnectPolicy: POLICIES[request.disconnectPolicy] ?? 'HOLD',
    disconnectAfterMs: checks.span('disconnect_after', request.disconnectAfter, DISCONNECT_AFTER_MS),
    initialBalance: request.initialBalance,
    allowPartial: request.allowPartial,
    requestId: request.requestId,
    waitMs: waitOf(request.wait, checks),
    dataset: request.dataset,
    fingerprint: fingerprintOf(request),
  };
  checks.throwIfAny();
  return wish;
}

/** The same for the same wish: clients may write the entries of a map in any order, and in another one when they repeat a call. */
function fingerprintOf(request: StartSessionRequest): string {
  const labels = Object.entries(request.executorLabels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const sorted = { ...request, executorLabels: Object.fromEntries(labels) };
  return createHash('sha256').update(toBinary(StartSessionRequestSchema, sorted)).digest('hex');
}

/** How long a call waits for its activations, in milliseconds. */
export function waitOf(wait: StartSessionRequest['wait'], checks: FieldChecks): number {
  return checks.span('wait', wait, WAIT_MS);
}

function checkExecutor(
  { executor, executorLabels }: StartSessionRequest,
  backtest: boolean,
  checks: FieldChecks,
): void {
  checks.text('executor', executor);
  const labels = Object.entries(executorLabels);
  if (labels.length > LABELS_MAX) checks.add('executor_labels', `must have at most ${LABELS_MAX} entries`);
  for (const [key, value] of labels.slice(0, LABELS_MAX)) {
    checks.text('executor_labels (a key)', key, true);
    checks.text(`executor_labels[${JSON.stringify(key)}]`, value);
  }
  if (backtest) {
    if (executor !== '' || labels.length > 0)
      checks.add('executor', 'must be left out: a back-test runs on no executor');
  } else if (executor !== '' && labels.length > 0) {
    checks.add('executor_labels', 'must be left out where an executor is named');
  } else if (executor === '' && labels.length === 0) {
    checks.add('executor', 'is required: a name or id, or executor_labels in its place');
  }
}

function checkDataset(
  { dataset }: StartSessionRequest,
  backtest: boolean,
  selections: readonly Selection[],
  checks: FieldChecks,
): void {
  checks.text('dataset', dataset);
  if (!backtest) {
    if (dataset !== '') checks.add('dataset', 'must be left out: only a back-test has one');
    return;
  }
  if (dataset === '') checks.add('dataset', 'is required for a back-test: a dataset of the market service');
  const symbols = new Set(selections.flatMap((selection) => selection.symbols));
  if (symbols.size > 1) checks.add('strategies', 'must name one symbol: a dataset holds the prices of one');
}

function selectionsOf(selections: readonly StrategySelection[], checks: FieldChecks): Selection[] {
  if (selections.length === 0) checks.add('strategies', 'is required: at least one strategy with at least one symbol');
  if (selections.length > SELECTIONS_MAX) checks.add('strategies', `must have at most ${SELECTIONS_MAX} entries`);
  const parsed = selections
    .slice(0, SELECTIONS_MAX)
    .map((selection, index) => parseSelection(selection, `strategies[${index}]`, checks));
  const pairs = parsed.flatMap(({ strategy, symbols }) => symbols.map((symbol) => `${strategy} on ${symbol}`));
  const twice = pairs.find((pair, index) => pairs.indexOf(pair) !== index);
  if (twice !== undefined) checks.add('strategies', `names ${twice} twice`);
  return parsed;
}

/** One strategy with its symbols; `at` is its field. */
export function parseSelection(selection: StrategySelection | undefined, at: string, checks: FieldChecks): Selection {
  if (selection === undefined) {
    checks.add(at, 'is required');
    return { strategy: '', symbols: [], revision: 0 };
  }
  checks.text(`${at}.strategy`, selection.strategy, true);
  const symbols = checks.symbols(`${at}.symbols`, selection.symbols, true);
  if (selection.revision < 0n || selection.revision > REVISION_MAX) {
    checks.add(`${at}.revision`, `must be between 0 and ${REVISION_MAX}, got ${selection.revision}`);
  }
  return {
    strategy: selection.strategy,
    symbols,
    revision: Number(selection.revision),
  };
}
