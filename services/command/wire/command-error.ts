import { create } from '@bufbuild/protobuf';
import {
  type CommandError as WireError,
  CommandErrorSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { type CommandError, HOPS } from '../domain/command.ts';
import { reasonName, reasonNumber } from './error-reason.ts';

/** Longest sentence and metadata that are kept of an agent's error. */
const MESSAGE_CHARS_MAX = 1_024;
const METADATA_ENTRIES_MAX = 32;
const METADATA_CHARS_MAX = 256;

export function errorToProto(error: CommandError): WireError {
  return create(CommandErrorSchema, {
    reason: reasonNumber(error.reason),
    message: error.message,
    hop: error.hop,
    retryable: error.retryable,
    metadata: { ...error.metadata },
  });
}

/**
 * An agent's error as a fact, bounded and free of what Postgres cannot store. An agent older or newer than the platform may
 * name a reason or a hop that is not known here: `fallbackReason` and "agent" take their places.
 */
export function errorFromProto(error: WireError, fallbackReason: string): CommandError {
  const metadata = Object.entries(error.metadata).slice(0, METADATA_ENTRIES_MAX);
  return {
    reason: reasonName(error.reason) ?? fallbackReason,
    message: storable(error.message, MESSAGE_CHARS_MAX),
    hop: HOPS.find((hop) => hop === error.hop) ?? 'agent',
    retryable: error.retryable,
    metadata: Object.fromEntries(
      metadata.map(([key, value]) => [storable(key, METADATA_CHARS_MAX), storable(value, METADATA_CHARS_MAX)]),
    ),
  };
}

/** Postgres refuses NUL in text and in jsonb. */
function storable(text: string, charsMax: number): string {
  return text.replaceAll('\0', '\u{FFFD}').slice(0, charsMax).toWellFormed();
}
