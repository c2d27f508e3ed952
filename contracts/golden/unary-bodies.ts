import { type DescMessage, fromJson, type JsonObject, type JsonValue, toJson } from '@bufbuild/protobuf';
import {
  CheckLinkRequestSchema,
  CheckLinkResponseSchema,
  PollCommandsRequestSchema,
  PollCommandsResponseSchema,
  ReportEventsRequestSchema,
  ReportEventsResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { sampleMessage } from '../../test/conformance/sample-request.ts';
import { objectOf } from '../schema/json.ts';
import { descOf, frameNamed, type MadeBody, type MadeFrame, type Side } from './frame.ts';
import { SAMPLE, sampleOf } from './sample-values.ts';

const STREAM_EPOCH = String(SAMPLE.epoch);

/** What goes to and fro without a stream: what real code says in frames, in the bodies of the unary calls. */
export function unaryBodies(frames: readonly MadeFrame[]): MadeBody[] {
  const said = (name: string): JsonObject => {
    const made = frameNamed(frames, name);
    return objectOf(toJson(descOf(made), made.message));
  };
  return [
    body('executor', PollCommandsRequestSchema, {
      ...said('executor hello'),
      ...said('executor price_interest'),
      streamEpoch: STREAM_EPOCH,
      wait: '20s',
    }),
    body('platform', PollCommandsResponseSchema, {
      frames: [said('platform heartbeat')],
      pollTime: new Date(SAMPLE.nowMs).toISOString(),
    }),
    body('executor', ReportEventsRequestSchema, {
      ...said('executor events/finished'),
      ...said('executor in_flight_limit'),
      ...said('executor venue_events/position_closed'),
      streamEpoch: STREAM_EPOCH,
    }),
    body('platform', ReportEventsResponseSchema, {
      ...said('platform events_acknowledged'),
      ...said('platform venue_events_acknowledged'),
    }),
    body('executor', CheckLinkRequestSchema, sampleMessage(CheckLinkRequestSchema, sampleOf)),
    body('platform', CheckLinkResponseSchema, sampleMessage(CheckLinkResponseSchema, sampleOf)),
  ];
}

function body(from: Side, desc: DescMessage, json: JsonValue): MadeBody {
  return { name: `${from} ${desc.name}`, from, desc, message: fromJson(desc, json) };
}
