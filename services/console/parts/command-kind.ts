import type { Command } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { IssueCommandRequestSchema } from '../../../proto/gen/strategos/command/v1/command_service_pb.js';

/** Everything that an executor can be told to do: the cases of the `kind` oneof, as the proto has them. */
export const KIND_FIELDS = IssueCommandRequestSchema.oneofs.find(({ name }) => name === 'kind')?.fields ?? [];

/** Names as in the proto, such as open_position. */
export const KINDS: readonly string[] = KIND_FIELDS.map(({ name }) => name);

const NAMES = new Map(KIND_FIELDS.map(({ localName, name }) => [localName, name]));

export function kindOf({ kind }: Command): string {
  return kind.case === undefined ? 'unknown' : (NAMES.get(kind.case) ?? kind.case);
}

/** What it is about, in a few words: symbol, session, strategy. */
export function subjectOf({ kind }: Command): string {
  if (kind.value === undefined) return '';
  const { value } = kind;
  return ['symbol', 'strategyId', 'sessionId', 'payload']
    .map((name): unknown => Reflect.get(value, name))
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .map((text) => (text.length > 20 ? `${text.slice(0, 8)}…` : text))
    .join(' · ');
}
