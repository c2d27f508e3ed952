import { create } from '@bufbuild/protobuf';
import {
  type Fault as FaultMessage,
  FaultSchema,
} from '../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Fault } from '../domain/definition.ts';

export function faultToProto({ field, description, warning }: Fault): FaultMessage {
  return create(FaultSchema, { field, description, warning });
}
