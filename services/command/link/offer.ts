import { type Hello, HelloSchema } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { unknownFields } from '../../platform/grpc/parse.ts';
import type { StreamOffer } from '../store/link-store.ts';
import { FieldChecks } from '../wire/field-checks.ts';
import { millisecondsOfTimestamp } from '../wire/time.ts';
import { plain } from './frames.ts';

const JOURNAL_ID_CHARS_MAX = 64;
const KIND_CHARS_MAX = 64;
const KINDS_MAX = 100;
const KIND_FORM = /^[a-z_]+$/;
/** Commands that an agent may take at once. */
export const IN_FLIGHT_MAX = 10_000;

/**
 * What an agent's Hello, read at `helloMs`, offers. What is only shown to people is cut to a bearable length; what decides anything must be right.
 * @throws INVALID_ARGUMENT naming every field of `hello` that cannot be used.
 */
export function offerOf(executorId: string, hello: Hello, link: 'STREAM' | 'POLL', helloMs: number): StreamOffer {
  const unknown = unknownFields(HelloSchema, hello);
  const checks = new FieldChecks(
    unknown.map(({ field, description }) => ({ field: `hello.${field}`, description })),
    'hello',
  );
  checks.text('journal_id', hello.journalId, { required: true, charsMax: JOURNAL_ID_CHARS_MAX });
  checks.integer('in_flight_max', hello.inFlightMax, 1, IN_FLIGHT_MAX);
  if (hello.kinds.length > KINDS_MAX) checks.add('kinds', `must have at most ${KINDS_MAX} entries`);
  for (const [index, kind] of hello.kinds.slice(0, KINDS_MAX).entries()) {
    if (kind.length > KIND_CHARS_MAX || !KIND_FORM.test(kind)) {
      checks.add(`kinds[${index}]`, 'must be the name of a kind, such as "open_position"');
    }
  }
  checks.throwIfAny();
  return {
    executorId,
    link,
    journalId: hello.journalId,
    host: plain(hello.host).slice(0, 255),
    agentVersion: plain(hello.agentVersion).slice(0, 64),
    contractDigest: plain(hello.contractDigest).slice(0, 128),
    kinds: hello.kinds,
    inFlightMax: hello.inFlightMax,
    clockOffsetMs: clockOffsetMs(hello, helloMs),
  };
}

/** Null when the agent tells no time, or one that is none: nobody is kept out by a clock. */
function clockOffsetMs({ agentTime }: Hello, helloMs: number): number | null {
  const agentMs = agentTime === undefined ? Number.NaN : millisecondsOfTimestamp(agentTime);
  return Number.isNaN(agentMs) ? null : Math.round(agentMs - helloMs);
}
