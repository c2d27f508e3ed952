import { create } from '@bufbuild/protobuf';
import {
  type CommandError as WireError,
  CommandErrorSchema,
} from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { CommandError } from '../domain/command.ts';
import { reasonNumber } from './error-reason.ts';

export function errorToProto(error: CommandError): WireError {
  return create(CommandErrorSchema, {
    reason: reasonNumber(error.reason),
    message: error.message,
    hop: error.hop,
    retryable: error.retryable,
    metadata: { ...error.metadata },
  });
}
