import type { Client } from '@connectrpc/connect';
import { type Instance, PinPolicy } from '../../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { EvaluatorService } from '../../../proto/gen/strategos/evaluator/v1/evaluator_service_pb.js';
import type { Secret } from '../../platform/config.ts';
import type { AppliedState, EvaluatorFleet, RunningInstance } from '../domain/neighbours.ts';
import { callAs, rawMessageOf } from './call.ts';

/** One evaluator replica, asked by itself. */
export interface EvaluatorPeer {
  readonly url: string;
  readonly client: Client<typeof EvaluatorService>;
}

/**
 * Asks every replica: each tells what it knows of all of them, and the newest word about a replica counts. Instances are the same
 * wherever they are asked for, so one answer is enough.
 */
export function evaluatorFleet(peers: readonly EvaluatorPeer[], internalToken: Secret): EvaluatorFleet {
  return {
    async view(asker, strategyId) {
      const options = callAs(internalToken, asker);
      const answers = await Promise.all(
        peers.map(async ({ url, client }) => {
          try {
            const [{ caches }, { instances }] = await Promise.all([
              client.listCaches({}, options),
              client.listInstances({ strategyId: strategyId ?? '' }, options),
            ]);
            return { caches, instances };
          } catch (thrown) {
            return { url, failure: rawMessageOf(thrown) };
          }
        }),
      );
      const applied = new Map<string, AppliedState>();
      let instances: readonly Instance[] = [];
      const unreachable: string[] = [];
      for (const answer of answers) {
        if ('failure' in answer) {
          unreachable.push(`the evaluator at ${answer.url} did not answer: ${answer.failure}`);
          continue;
        }
        instances = answer.instances;
        for (const { replicaId, appliedRevision, digest } of answer.caches) {
          const before = applied.get(replicaId);
          const revision = Number(appliedRevision);
          if (before === undefined || before.revision < revision)
            applied.set(replicaId, { replicaId, revision, digest });
        }
      }
      return { applied: [...applied.values()], instances: instances.map(runningInstance), unreachable };
    },
  };
}

function runningInstance(instance: Instance): RunningInstance {
  const { sessionId, strategyId, symbol, replicaId, runningRevision, pinPolicy } = instance;
  const pinned = pinPolicy === PinPolicy.PINNED;
  return { sessionId, strategyId, symbol, replicaId, revision: Number(runningRevision), pinned };
}
