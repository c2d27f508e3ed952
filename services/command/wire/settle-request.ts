import { create, toBinary } from '@bufbuild/protobuf';
import { CommandResultSchema } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import {
  type SettleCommandRequest,
  SettledOutcome,
  SettledOutcomeSchema,
  type SettledFill,
} from '../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Decimal } from 'decimal.js';
import { type Side, SideSchema } from '../../../proto/gen/strategos/command/v1/kind_pb.js';
import type { Command } from '../domain/command.ts';
import type { OperatorWord } from '../domain/settlement.ts';
import type { FieldChecks } from './field-checks.ts';
import { type KindValue, keyPartsOf, readPayload } from './payload.ts';
import { millisecondsOfTimestamp } from './time.ts';

const NOTE_CHARS_MAX = 500;
const FILLS_MAX = 100;
/** Kinds that may have dealt at the venue. */
const DEALING: ReadonlySet<string> = new Set([
  'open_position',
  'close_position',
  'stop_strategy',
  'stop_session',
  'stop_all',
]);

/** Checks what a request to settle says, whatever the command is. */
export function checkSettlement({ id, outcome, note, fills }: SettleCommandRequest, checks: FieldChecks): void {
  checks.id('id', id);
  checks.enumeration('outcome', SettledOutcomeSchema, outcome, { required: true });
  checks.text('note', note, { required: true, charsMax: NOTE_CHARS_MAX });
  if (fills.length > FILLS_MAX) checks.add('fills', `must have at most ${FILLS_MAX} entries, has ${fills.length}`);
  else fills.forEach((fill, index) => checkFill(fill, checks.within(`fills[${index}]`)));
  if (outcome === SettledOutcome.DID_NOT_HAPPEN && fills.length > 0) {
    checks.add('fills', 'must be empty for a command that did not happen');
  }
}

function checkFill(fill: SettledFill, checks: FieldChecks): void {
  checks.text('symbol', fill.symbol, { required: true });
  checks.enumeration('side', SideSchema, fill.side, { required: true });
  checks.decimal('quantity', fill.quantity, { required: true, above0: true });
  checks.decimal('price', fill.price, { required: true, above0: true });
  checks.decimal('fee', fill.fee);
  checks.text('venue_order_id', fill.venueOrderId);
  if (fill.fillTime !== undefined && !(millisecondsOfTimestamp(fill.fillTime) >= 0)) {
    checks.add('fill_time', 'is not a valid time since 1970');
  }
}

/** Checks what the command is said to have dealt against what it was to do. */
export function checkFillsOf(command: Command, { outcome, fills }: SettleCommandRequest, checks: FieldChecks): void {
  if (fills.length === 0) {
    if (command.kind === 'open_position' && outcome === SettledOutcome.HAPPENED) {
      checks.add('fills', 'is required for an open_position that happened: quantity and price as the venue shows them');
    }
    return;
  }
  if (!DEALING.has(command.kind)) {
    checks.add('fills', `must be empty: ${command.kind} deals nothing at a venue`);
    return;
  }
  const payload = readPayload(command.kind, command.parameters);
  if (payload.type !== 'payload') return;
  const { kind } = payload;
  const { symbol: own } = keyPartsOf(kind);
  const side = sideOf(kind, fills);
  for (const [index, fill] of fills.entries()) {
    const at = checks.within(`fills[${index}]`);
    if (own !== '' && fill.symbol !== own) at.add('symbol', `must be ${own}, which the command is about`);
    if (side !== undefined && fill.side !== side) {
      at.add(
        'side',
        `must be ${SideSchema.value[side]?.name}: name the fills of this command alone, and not those of the other leg`,
      );
    }
  }
  if (kind.case !== 'openPosition') return;
  const filled = fills.reduce((sum, { quantity }) => sum.plus(quantity), new Decimal(0));
  if (filled.gt(kind.value.quantity)) {
    checks.add('fills', `add up to ${filled.toString()}, and ${kind.value.quantity} was ordered`);
  }
}

/** On which side a command deals: an entry on its own, one close on that of all its fills. Undefined where both are possible. */
function sideOf(kind: KindValue, [first]: readonly SettledFill[]): Side | undefined {
  if (kind.case === 'openPosition') return kind.value.side;
  return kind.case === 'closePosition' ? first?.side : undefined;
}

/** The word of a request that was checked. */
export function wordOf({ outcome, note, fills }: SettleCommandRequest, by: string): OperatorWord {
  const result = create(CommandResultSchema, {
    fills: fills.map(({ symbol, side, quantity, price, fee, venueOrderId, fillTime }) => ({
      symbol,
      side,
      quantity,
      price,
      fee,
      venueOrderId,
      ...(fillTime === undefined ? {} : { fillTime }),
    })),
  });
  return {
    happened: outcome === SettledOutcome.HAPPENED,
    by,
    note,
    result: fills.length === 0 ? null : Buffer.from(toBinary(CommandResultSchema, result)),
  };
}
