import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type {
  ConnectResponse,
  Drain,
  Superseded,
  Welcome,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import type { Logger } from '../../platform/logger.ts';
import type { CommandDesk } from '../execution/command-desk.ts';
import type { VenueDesk } from '../execution/venue-desk.ts';

/** What a frame asks of the link itself; what it says about commands has been done. */
export type FrameSignal =
  | { readonly kind: 'done' }
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'heartbeat'; readonly number: bigint }
  | { readonly kind: 'heartbeat_reply'; readonly number: bigint; readonly time: Timestamp | undefined }
  | { readonly kind: 'drain'; readonly drain: Drain }
  | { readonly kind: 'superseded'; readonly superseded: Superseded };

/** Who takes what a frame says. */
export interface FrameDesks {
  readonly desk: CommandDesk;
  readonly venue: VenueDesk;
}

const DONE: FrameSignal = { kind: 'done' };

/**
 * Takes one frame, whether it came over the stream or was polled. `sinceMs` says how long ago the platform's clock showed a
 * time, at the most.
 */
export function handleFrame(
  { frame, $unknown }: ConnectResponse,
  { desk, venue }: FrameDesks,
  logger: Logger,
  sinceMs: (time: Timestamp) => number,
): FrameSignal {
  switch (frame.case) {
    case 'commands': {
      const { commands, sendTime } = frame.value;
      desk.receive(commands, sendTime === undefined ? 0 : sinceMs(sendTime));
      return DONE;
    }
    case 'cancels':
      desk.cancel(frame.value.commandIds);
      return DONE;
    case 'eventsAcknowledged':
      desk.acknowledge(frame.value.commandIds);
      return DONE;
    case 'inquiry':
      desk.inquire(frame.value.commandIds);
      return DONE;
    case 'prices':
      venue.takePrices(frame.value);
      return DONE;
    case 'venueEventsAcknowledged':
      venue.acknowledge(frame.value);
      return DONE;
    case 'heartbeatReply':
      return { kind: 'heartbeat_reply', number: frame.value.number, time: frame.value.time };
    case 'heartbeat':
      return { kind: 'heartbeat', number: frame.value.number };
    case 'welcome':
      return { kind: 'welcome', welcome: frame.value };
    case 'drain':
      return { kind: 'drain', drain: frame.value };
    case 'superseded':
      return { kind: 'superseded', superseded: frame.value };
    case undefined:
      logger.warn({ numbers: ($unknown ?? []).map((field) => field.no) }, 'frame of an unknown kind ignored');
      return DONE;
    default:
      return neverFrame(frame);
  }
}

function neverFrame(frame: never): never {
  throw new Error(`unhandled frame ${JSON.stringify(frame)}`);
}
