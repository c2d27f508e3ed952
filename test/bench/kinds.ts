import { CommandPayloadSchema } from '../../proto/gen/strategos/command/v1/command_pb.js';

/** Names of all kinds, from the descriptor. */
export const KIND_NAMES: string[] = (CommandPayloadSchema.oneofs[0]?.fields ?? []).map((field) => field.name);
