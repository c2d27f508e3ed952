import { Lane as WireLane } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import type { Lane } from '../domain/command.ts';

const WIRE_LANES: Readonly<Record<Lane, WireLane>> = { 1: WireLane.NORMAL, 2: WireLane.HIGH, 3: WireLane.CRITICAL };
const LANES: readonly Lane[] = [1, 2, 3];

export function laneToProto(lane: Lane): WireLane {
  return WIRE_LANES[lane];
}

/** Null for UNSPECIFIED and for numbers that this release does not know. */
export function laneFromProto(lane: WireLane): Lane | null {
  return LANES.find((known) => WIRE_LANES[known] === lane) ?? null;
}
