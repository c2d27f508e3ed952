import { createClient } from '@connectrpc/connect';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../proto/gen/grpc/health/v1/health_pb.js';
import { messageOf } from '../../platform/errors.ts';
import { createGrpcTransport } from '../../platform/grpc/transport.ts';
import { type Check, skipped, sound, unsound } from '../domain/check.ts';

const WITHIN_MS = 2_000;

/** What stands still while a service is away, by its name. */
const MEANING: Readonly<Record<string, string>> = {
  command: 'commands are neither accepted nor delivered; agents keep what they have and come back by themselves',
  strategy: 'strategies cannot be edited; what runs goes on',
  market: 'no prices come in: inputs turn stale, then blind, and sessions follow their disconnect policy',
  session: 'nothing can be started, and decisions of instances wait to be carried out',
  evaluator: 'instances wait for another replica to take them over',
  backtest: 'back-tests cannot be run',
  alert: 'nobody is told when something breaks',
};

/** Whether every replica of a service answers that it serves. */
export async function serviceChecks(service: string, urls: readonly string[]): Promise<Check[]> {
  const name = `service.${service}`;
  if (urls.length === 0) return [skipped(name, `this gateway was told of no ${service} service`)];
  const startMs = performance.now();
  const replicas = await Promise.all(urls.map((url) => faultOf(url)));
  const tookMs = performance.now() - startMs;
  const faults = replicas.filter((fault) => fault !== undefined);
  if (faults.length === 0) {
    return [sound(name, urls.length === 1 ? 'serves' : `all ${urls.length} replicas serve`, tookMs)];
  }
  const words = {
    found: `${faults.length} of ${urls.length} replicas: ${faults.join('; ')}`,
    meaning: faults.length === urls.length ? (MEANING[service] ?? '') : 'the other replicas do its work',
    remedy: `look at the log of ${service} (strategos up keeps it in .strategos/logs), and start it again`,
  };
  return [unsound(name, faults.length === urls.length ? 'fault' : 'warning', words, tookMs)];
}

async function faultOf(url: string): Promise<string | undefined> {
  const transport = createGrpcTransport({ urls: [url], ownConnection: true });
  try {
    const { status } = await createClient(Health, transport).check({}, { timeoutMs: WITHIN_MS });
    return status === ServingStatus.SERVING ? undefined : `${url} answers ${ServingStatus[status]}`;
  } catch (thrown) {
    return `${url} does not answer (${messageOf(thrown)})`;
  } finally {
    transport.close();
  }
}
