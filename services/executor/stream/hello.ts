import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { arch, hostname, platform } from 'node:os';
import {
  file_strategos_command_v1_executor_link_service,
  type Hello,
  HelloSchema,
  type JournalEntry,
} from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { contractDigest } from '../../platform/grpc/contract-digest.ts';
import { kindName } from '../adapters/command-kinds.ts';
import type { CommandCase } from '../adapters/adapter.ts';
import type { LocalLimits } from '../domain/local-limits.ts';

/** Digest of the wire format that this build speaks. */
const CONTRACT_DIGEST = contractDigest(file_strategos_command_v1_executor_link_service);

/** What does not change while an agent runs. */
export interface AgentIdentity {
  readonly journalId: string;
  readonly agentVersion: string;
  /** What the adapter executes, as far as local limits allow it. */
  readonly kinds: readonly string[];
  /** The adapter can use the platform's prices. */
  readonly takesPrices: boolean;
}

/** What of the adapter's kinds the agent's own limits allow, by the names of the wire. */
export function offeredKinds(kinds: readonly CommandCase[], limits: LocalLimits): string[] {
  return kinds.map(kindName).filter((kind) => limits.kinds?.includes(kind) ?? true);
}

/** Says who the agent is and what its journal holds at this moment. */
export function createHello(
  identity: AgentIdentity,
  inFlightMax: number,
  journal: readonly JournalEntry[],
  nowMs: number,
): Hello {
  return create(HelloSchema, {
    journalId: identity.journalId,
    agentVersion: identity.agentVersion,
    contractDigest: CONTRACT_DIGEST,
    kinds: [...identity.kinds],
    inFlightMax,
    journal: [...journal],
    host: hostname(),
    agentTime: timestampFromMs(nowMs),
    takesPrices: identity.takesPrices,
    platform: `${platform()}-${arch()} node-${process.versions.node}`,
  });
}
