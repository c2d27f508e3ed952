import { toBinary } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { Decimal } from 'decimal.js';
import {
  LaneSchema,
  type Preconditions,
  Preconditions_SessionStateSchema,
  PreconditionsSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type DeadlineSpans,
  type IssueCommandRequest,
  IssueCommandRequestSchema,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { FieldViolation } from '../../platform/errors.ts';
import { unknownFields } from '../../platform/grpc/parse.ts';
import type { IssueOrder } from '../domain/issue.ts';
import { ATTEMPTS_MAX_LIMIT, type Kind, policyOf, SPAN_MS_MAX } from '../domain/kind.ts';
import { orderingKey } from '../domain/ordering-key.ts';
import { FieldChecks } from './field-checks.ts';
import { fingerprint } from './fingerprint.ts';
import { checkKind } from './kind-rules.ts';
import { laneFromProto } from './lane.ts';
import { encodePayload, KIND_NAMES, keyPartsOf, kindOf, sharedCopy } from './payload.ts';
import { millisecondsOfTimestamp } from './time.ts';

const NOT_AFTER_MS_MAX = 30 * 24 * 3_600_000;
/** Printable ASCII. */
const REQUEST_ID_FORM = /^[\x20-\x7e]{1,128}$/;

/** A request that has been checked: an order but for the executor's id, which only the directory knows. */
export type IssueWish = Omit<IssueOrder, 'id' | 'accountId' | 'executorId' | 'fingerprint'> & {
  /** Name or id. */
  readonly executor: string;
};

export type ParsedIssue =
  | { readonly type: 'wish'; readonly wish: IssueWish }
  /** Well formed, but its not_after is over: it stands only as the repeat of a call that was made in time. */
  | { readonly type: 'stale'; readonly wish: IssueWish; readonly violations: readonly FieldViolation[] }
  | { readonly type: 'refused'; readonly violations: readonly FieldViolation[] };

/**
 * Checks everything at once and returns a narrower type, or every violation. `payload` is what `sentPayloadsOf` gives: where
 * there is one, nothing in the request is unknown.
 */
export function parseIssueRequest(request: IssueCommandRequest, nowMs: number, payload?: Uint8Array): ParsedIssue {
  const checks = new FieldChecks(payload === undefined ? unknownFields(IssueCommandRequestSchema, request) : []);
  checks.text('executor', request.executor, { required: true });
  checkRequestId(request.requestId, checks);
  checks.enumeration('lane', LaneSchema, request.lane);
  checks.integer('attempts_max', request.attemptsMax, 0, ATTEMPTS_MAX_LIMIT);
  const preconditions = preconditionsOf(request.preconditions, checks.within('preconditions'));
  const notAfterMs = notAfterOf(request.notAfter, nowMs, checks);
  const { kind } = request;
  if (kind.case === undefined) {
    checks.add('kind', `is required: exactly one of ${KIND_NAMES.join(', ')}`);
    spansOf(request.deadlines, undefined, checks.within('deadlines'));
    return { type: 'refused', violations: checks.violations };
  }
  const kindName = kindOf(kind.case);
  checkKind(kind, checks.within(kindName));
  const spans = spansOf(request.deadlines, kindName, checks.within('deadlines'));
  if (checks.violations.length > 0) return { type: 'refused', violations: checks.violations };
  const wish: IssueWish = {
    executor: request.executor,
    kind: kindName,
    parameters: payload === undefined ? encodePayload(kind) : sharedCopy(payload),
    orderingKey: orderingKey(kindName, keyPartsOf(kind)),
    requestId: request.requestId === '' ? null : request.requestId,
    retryOf: null,
    preconditions,
    lane: laneFromProto(request.lane),
    attemptsMax: request.attemptsMax === 0 ? null : request.attemptsMax,
    notAfterMs,
    spans,
  };
  if (notAfterMs === null || notAfterMs > nowMs) return { type: 'wish', wish };
  const description = `must be in the future, is ${new Date(notAfterMs).toISOString()}`;
  return { type: 'stale', wish, violations: [{ field: 'not_after', description }] };
}

/** The order of a wish whose executor has been found; `id` is a fresh one. */
export function orderOf(wish: IssueWish, target: { id: string; accountId: string; executorId: string }): IssueOrder {
  const order = {
    id: target.id,
    accountId: target.accountId,
    executorId: target.executorId,
    kind: wish.kind,
    parameters: wish.parameters,
    orderingKey: wish.orderingKey,
    requestId: wish.requestId,
    retryOf: wish.retryOf,
    preconditions: wish.preconditions,
    lane: wish.lane,
    attemptsMax: wish.attemptsMax,
    notAfterMs: wish.notAfterMs,
    spans: wish.spans,
  };
  return { ...order, fingerprint: order.requestId === null ? null : fingerprint(order) };
}

export function checkRequestId(requestId: string, checks: FieldChecks): void {
  if (requestId !== '' && !REQUEST_ID_FORM.test(requestId)) {
    checks.add('request_id', 'must be 1 to 128 printable ASCII characters');
  }
}

/** Spans in milliseconds; absent and zero ones are left out. `kind` undefined when it is not known. */
export function spansOf(
  spans: DeadlineSpans | undefined,
  kind: Kind | undefined,
  checks: FieldChecks,
): IssueOrder['spans'] {
  if (spans === undefined) return {};
  const span = (field: string, value: DeadlineSpans['deliverWithin']): number | undefined => {
    const ms = checks.span(field, value, SPAN_MS_MAX);
    return ms === 0 ? undefined : ms;
  };
  const progressWithinMs = span('progress_within', spans.progressWithin);
  if (progressWithinMs !== undefined && kind !== undefined && policyOf(kind).progressWithinMs === null) {
    checks.add('progress_within', `must be left out: ${kind} reports no progress`);
  }
  return {
    deliverWithinMs: span('deliver_within', spans.deliverWithin),
    receiveWithinMs: span('receive_within', spans.receiveWithin),
    startWithinMs: span('start_within', spans.startWithin),
    progressWithinMs,
    finishWithinMs: span('finish_within', spans.finishWithin),
  };
}

/** A time in the past is not refused here: see `ParsedIssue`. */
function notAfterOf(timestamp: Timestamp | undefined, nowMs: number, checks: FieldChecks): number | null {
  if (timestamp === undefined) return null;
  const ms = millisecondsOfTimestamp(timestamp);
  if (Number.isNaN(ms)) checks.add('not_after', 'is not a valid timestamp');
  else if (ms > nowMs + NOT_AFTER_MS_MAX) checks.add('not_after', 'must be within the next 30 days');
  return ms;
}

/** Serialized, or null where nothing is asked. */
function preconditionsOf(preconditions: Preconditions | undefined, checks: FieldChecks): Uint8Array | null {
  if (preconditions === undefined) return null;
  checks.enumeration('session_state', Preconditions_SessionStateSchema, preconditions.sessionState);
  checks.integer('strategy_revision', preconditions.strategyRevision, 0, Number.MAX_SAFE_INTEGER);
  checkPriceBand(preconditions.priceBand, checks.within('price_band'));
  const bytes = toBinary(PreconditionsSchema, preconditions);
  return bytes.length === 0 ? null : bytes;
}

function checkPriceBand(band: Preconditions['priceBand'], checks: FieldChecks): void {
  if (band === undefined) return;
  if (band.minPrice === '' && band.maxPrice === '') checks.add('', 'needs min_price or max_price');
  const before = checks.violations.length;
  checks.decimal('min_price', band.minPrice);
  checks.decimal('max_price', band.maxPrice, { above0: true });
  if (checks.violations.length > before || band.minPrice === '' || band.maxPrice === '') return;
  if (new Decimal(band.minPrice).gt(band.maxPrice)) checks.add('', 'min_price must not be above max_price');
}
