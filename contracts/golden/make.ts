import { fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import {
  ConnectRequestSchema,
  ConnectResponseSchema,
} from '../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { executorFrames } from './executor-frames.ts';
import { describedFrame, descOf, frameNames, type GoldenFrame, type MadeBody, type MadeFrame } from './frame.ts';
import { platformFrames } from './platform-frames.ts';
import { unaryBodies } from './unary-bodies.ts';

export interface TodaysFrames {
  /** One of each name that the descriptors know. */
  readonly frames: readonly MadeFrame[];
  /** One of each unary call, there and back. */
  readonly bodies: readonly MadeBody[];
  /** Names of those that no production code of this build says: they are made from the descriptor alone. */
  readonly unsaid: readonly string[];
}

/** Every frame of this build. */
export async function todaysFrames(): Promise<TodaysFrames> {
  const said = new Map([...(await platformFrames()), ...(await executorFrames())].map((made) => [made.name, made]));
  const names = [...frameNames('platform'), ...frameNames('executor')];
  const frames = names.map((name): MadeFrame => said.get(name) ?? described(name));
  return { frames, bodies: unaryBodies(frames), unsaid: names.filter((name) => !said.has(name)) };
}

function described(name: string): MadeFrame {
  return name.startsWith('platform ')
    ? { name, from: 'platform', message: fromJson(ConnectResponseSchema, describedFrame('platform', name)) }
    : { name, from: 'executor', message: fromJson(ConnectRequestSchema, describedFrame('executor', name)) };
}

/** A frame or a body as a release keeps it. */
export function goldenOf(made: MadeFrame | MadeBody): GoldenFrame {
  const { name, from, message } = made;
  const desc = descOf(made);
  return {
    name,
    from,
    ...('desc' in made ? { type: desc.typeName } : {}),
    bytes: Buffer.from(toBinary(desc, message)).toString('base64'),
    json: toJson(desc, message),
  };
}
