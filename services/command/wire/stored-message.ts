import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import {
  type CommandProgress,
  CommandProgressSchema,
  type CommandResult,
  CommandResultSchema,
  type Preconditions,
  PreconditionsSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { millisecondsOfTimestamp, timestampOf } from './time.ts';

/** Messages that are stored as bytes beside a command. Reading never throws: what cannot be decoded is absent. */

/** Largest result that is kept; what an agent reports beyond that is cut to its summary. */
const RESULT_BYTES_MAX = 262_144;
const SUMMARY_CHARS_MAX = 4_096;
const PROGRESS_CHARS_MAX = 1_024;

export function readResult(bytes: Uint8Array | null): CommandResult | undefined {
  return read(CommandResultSchema, bytes);
}

export function readProgress(bytes: Uint8Array | null): CommandProgress | undefined {
  return read(CommandProgressSchema, bytes);
}

export function readPreconditions(bytes: Uint8Array | null): Preconditions | undefined {
  return read(PreconditionsSchema, bytes);
}

export function encodePreconditions(preconditions: Preconditions): Uint8Array {
  return toBinary(PreconditionsSchema, preconditions);
}

/** An agent's result as it is stored: bounded, and readable as proto JSON whatever the agent sent. */
export function encodeResult(result: CommandResult): Uint8Array {
  for (const fill of result.fills) {
    if (fill.fillTime === undefined) continue;
    const fillTime = timestampOf(millisecondsOfTimestamp(fill.fillTime));
    if (fillTime === undefined) delete fill.fillTime;
  }
  const bytes = toBinary(CommandResultSchema, result);
  if (bytes.length <= RESULT_BYTES_MAX) return bytes;
  const summary = `${result.summary.slice(0, SUMMARY_CHARS_MAX)} (the result of ${bytes.length} bytes was too large to keep)`;
  return toBinary(CommandResultSchema, create(CommandResultSchema, { summary: summary.toWellFormed() }));
}

/** An agent's progress as it is stored: bounded, percent within 0 to 100. */
export function encodeProgress(progress: CommandProgress): Uint8Array {
  return toBinary(
    CommandProgressSchema,
    create(CommandProgressSchema, {
      message: progress.message.slice(0, PROGRESS_CHARS_MAX).toWellFormed(),
      percent: Math.min(100, Math.max(0, progress.percent)),
    }),
  );
}

function read<D extends DescMessage>(schema: D, bytes: Uint8Array | null): MessageShape<D> | undefined {
  if (bytes === null) return undefined;
  try {
    return fromBinary(schema, bytes);
  } catch {
    // Bytes that are no such message: the command is shown without them rather than not at all.
    return undefined;
  }
}
