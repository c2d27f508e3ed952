import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type ConnectResponse,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';

/** What the platform says on a stream. */
export type Frames = AsyncIterable<ConnectResponse>;
export type FrameCase = ConnectResponse['frame']['case'];

type Frame = NonNullable<MessageInitShape<typeof ConnectResponseSchema>['frame']>;

/** Each frame is changed, or left out where `change` gives nothing. */
export function each(change: (frame: ConnectResponse['frame']) => Frame | undefined): (frames: Frames) => Frames {
  return async function* (frames) {
    for await (const { frame } of frames) {
      const next = change(frame);
      if (next !== undefined) yield create(ConnectResponseSchema, { frame: next });
    }
  };
}

/** Frames of that case are left out. */
export function lost(name: FrameCase): (frames: Frames) => Frames {
  return each((frame) => (frame.case === name ? undefined : frame));
}
