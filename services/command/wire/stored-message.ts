import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import {
  type CommandProgress,
  CommandProgressSchema,
  type CommandResult,
  CommandResultSchema,
  type Preconditions,
  PreconditionsSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { millisecondsOfTimestamp } from './time.ts';

// Messages that are stored as bytes beside a command. Reading never throws: what cannot be decoded is absent.

/** What the agent answered. A fill's time that proto JSON could not express is left out: agents may send anything. */
export function readResult(bytes: Uint8Array | null): CommandResult | undefined {
  const result = read(CommandResultSchema, bytes);
  for (const fill of result?.fills ?? []) {
    if (fill.fillTime !== undefined && Number.isNaN(millisecondsOfTimestamp(fill.fillTime))) delete fill.fillTime;
  }
  return result;
}

export function readProgress(bytes: Uint8Array | null): CommandProgress | undefined {
  return read(CommandProgressSchema, bytes);
}

export function readPreconditions(bytes: Uint8Array | null): Preconditions | undefined {
  return read(PreconditionsSchema, bytes);
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
