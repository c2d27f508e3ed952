import type {
  PriceInterest,
  VenueEventBatch,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { FieldChecks } from './field-checks.ts';
import { millisecondsOfTimestamp } from './time.ts';

const SYMBOLS_MAX = 1_000;
const VENUE_EVENTS_MAX = 500;

/** Says what of an agent's interest in prices cannot be used. */
export function checkInterest(checks: FieldChecks, { symbols }: PriceInterest): void {
  if (symbols.length > SYMBOLS_MAX) {
    checks.add('symbols', `must have at most ${SYMBOLS_MAX} entries, has ${symbols.length}`);
    return;
  }
  for (const [index, { symbol, afterSequence, fromTime }] of symbols.entries()) {
    const inner = checks.within(`symbols[${index}]`);
    inner.text('symbol', symbol, { required: true });
    inner.integer('after_sequence', afterSequence, 0, Number.MAX_SAFE_INTEGER);
    const fromMs = fromTime === undefined ? 0 : millisecondsOfTimestamp(fromTime);
    if (!(fromMs >= 0)) inner.add('from_time', 'is not a valid time since 1970');
  }
}

/** What a venue did is a fact and never refused for its wording; only its number is bounded. */
export function checkVenueEvents(checks: FieldChecks, { events }: VenueEventBatch): void {
  if (events.length > VENUE_EVENTS_MAX) {
    checks.add('events', `must have at most ${VENUE_EVENTS_MAX} entries, has ${events.length}`);
  }
}
