import { type DescMethod, fromBinary, fromJson, isMessage, type JsonValue, type Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJson } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { IssueCommandsResponseSchema } from '../../proto/gen/strategos/command/v1/command_service_pb.js';
import {
  type ValidateStrategyResponse,
  ValidateStrategyResponseSchema,
} from '../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { ErrorReason } from '../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { codeOfStatus } from '../../services/platform/grpc/code.ts';
import { reasonOf, violationsOf } from '../../services/platform/grpc/status.ts';

/** What a port said to one request, whatever the wire. */
export type Answer =
  | { readonly type: 'accepted'; readonly response: Message | undefined }
  | {
      readonly type: 'refused';
      readonly code: Code;
      readonly reason: string | undefined;
      readonly message: string;
      /** Paths of the refused fields. */
      readonly fields: readonly string[];
    };

export function refusedWith(error: ConnectError): Answer {
  return {
    type: 'refused',
    code: error.code,
    reason: reasonOf(error),
    message: error.rawMessage,
    fields: violationsOf(error).map(({ field }) => field),
  };
}

/** A refusal that says nothing a Connect client could read. */
export function unreadable(what: string): Answer {
  return refusedWith(new ConnectError(what, Code.Unknown));
}

/** From the JSON form of an error. */
export function fromErrorJson(json: JsonValue): Answer {
  return refusedWith(
    errorFromJson(json, undefined, new ConnectError(`no error: ${JSON.stringify(json)}`, Code.Unknown)),
  );
}

export function acceptedJson(method: DescMethod, json: JsonValue): Answer {
  return { type: 'accepted', response: fromJson(method.output, json) };
}

/** From trailers, or from headers that stand for them. Undefined without a status. */
export function fromTrailers(headers: Headers, method: DescMethod, body: Uint8Array | undefined): Answer | undefined {
  if (headers.get('grpc-status') === null) return undefined;
  const error = findTrailerError(headers);
  if (error !== undefined) return refusedWith(error);
  return { type: 'accepted', response: body === undefined ? undefined : fromBinary(method.output, body) };
}

/**
 * Answers that hold a refusal count as refusals: IssueCommands has an outcome for each request, of which the first counts, and
 * ValidateStrategy tells what CreateStrategy would refuse.
 */
export function settled(answer: Answer): Answer {
  if (answer.type === 'accepted' && isMessage(answer.response, ValidateStrategyResponseSchema)) {
    return judged(answer, answer.response);
  }
  if (answer.type === 'refused' || !isMessage(answer.response, IssueCommandsResponseSchema)) return answer;
  const outcome = answer.response.outcomes[0]?.outcome;
  if (outcome?.case !== 'error') return answer;
  const { code, message, reason } = outcome.value;
  return {
    type: 'refused',
    code: codeOfStatus(code),
    reason: ErrorReason[reason],
    message,
    // An outcome has no details; its message lists "field: what is wrong".
    fields: message.split('; ').map((part) => `requests[0].${part.slice(0, part.indexOf(': '))}`),
  };
}

/** Faults stand by their paths in the JSON form, which the request's field comes before. */
function judged(answer: Answer, { valid, faults }: ValidateStrategyResponse): Answer {
  if (valid) return answer;
  const found = faults.filter(({ warning }) => !warning);
  return {
    type: 'refused',
    code: Code.InvalidArgument,
    reason: undefined,
    message: found.map(({ field, description }) => `${field}: ${description}`).join('; '),
    fields: found.flatMap(({ field }) => (field === '' ? ['definition', 'json'] : [`definition.${inProto(field)}`])),
  };
}

function inProto(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
