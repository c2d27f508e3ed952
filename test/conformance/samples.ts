import { randomUUID } from 'node:crypto';
import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';
import { OMITTED, type SampleOf } from './sample-request.ts';
import { OWN_DIGEST } from '../harness/own-contract.ts';

/** What exists on the platform under test, so that samples can name it. */
export interface SampleWorld {
  readonly executor: string;
  /** One that may be disabled and rotated. */
  readonly spareExecutor: string;
  /** A command that is open. */
  readonly openCommandId: string;
  /** One that may be cancelled. */
  readonly cancellableCommandId: string;
  /** One that ended without success. */
  readonly endedCommandId: string;
  /** A close_position of `BTC_USDT` that ended OUTCOME_UNKNOWN. */
  readonly unknownCommandId: string;
  /** A token that may be revoked. */
  readonly token: string;
  /** Epoch of the link that reports; 0 where nobody does. */
  readonly streamEpoch: () => bigint;
}

const DECIMALS = ['price', 'quantity', 'leverage', 'balance'];
let made = 0;

/** A name that no sample had before. */
function unique(prefix: string): string {
  made += 1;
  return `${prefix}-${made}`;
}

/** Values for the fields whose meaning the descriptor does not tell; the key is "Message.field" or "field". */
export function sampleOf(world: SampleWorld): SampleOf {
  const values: Readonly<Record<string, () => JsonValue>> = {
    executor: () => world.executor,
    id: () => world.openCommandId,
    request_id: () => unique('request'),
    page_token: () => OMITTED,
    cursor: () => OMITTED,
    'DisableExecutorRequest.executor': () => world.spareExecutor,
    'RotateCredentialsRequest.executor': () => world.spareExecutor,
    'CancelCommandRequest.id': () => world.cancellableCommandId,
    'RetryCommandRequest.id': () => world.endedCommandId,
    'SettleCommandRequest.id': () => world.unknownCommandId,
    'SettledFill.symbol': () => 'BTC_USDT',
    'SettledFill.fee': () => '0.1',
    // Only kinds that unwind report progress.
    'DeadlineSpans.progress_within': () => OMITTED,
    'CommandFilter.kinds': () => ['ping'],
    'PriceBand.min_price': () => '1',
    'PriceBand.max_price': () => '2.5',
    'CreateExecutorRequest.name': () => unique('made'),
    'CreateTokenRequest.name': () => unique('made'),
    'CreateTokenRequest.account_id': () => 'main',
    'CreateAccountRequest.account_id': () => unique('made'),
    'RevokeTokenRequest.token': () => world.token,
    'Hello.kinds': () => ['ping'],
    'Hello.contract_digest': () => OWN_DIGEST,
    'Hello.in_flight_max': () => 10,
    'Hello.journal_id': () => 'journal-of-bad-input',
    command_id: () => randomUUID(),
    'PollCommandsRequest.wait': () => '0.001s',
    'PollCommandsRequest.stream_epoch': () => String(world.streamEpoch()),
    'ReportEventsRequest.stream_epoch': () => String(world.streamEpoch()),
  };
  return (parent: DescMessage, field: DescField): JsonValue | undefined => {
    const value = values[`${parent.name}.${field.name}`] ?? values[field.name];
    if (value !== undefined) return value();
    return DECIMALS.some((ending) => field.name.endsWith(ending)) ? '1.5' : undefined;
  };
}
