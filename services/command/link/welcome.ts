import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { HEARTBEAT_INTERVAL_MS, READ_TIMEOUT_MS } from './heartbeat.ts';
import type { ExecutorSession } from './session.ts';

/** The frame that accepts a link: its epoch, and how both sides keep it alive. */
export function sendWelcome(
  session: ExecutorSession,
  platform: { readonly version: string; readonly digest: string },
): void {
  const { identity } = session;
  session.send({
    case: 'welcome',
    value: {
      streamEpoch: BigInt(identity.epoch),
      executorId: identity.executorId,
      executorName: identity.executorName,
      heartbeatInterval: durationFromMs(HEARTBEAT_INTERVAL_MS),
      readTimeout: durationFromMs(READ_TIMEOUT_MS),
      platformVersion: platform.version,
      contractDigest: platform.digest,
      helloTime: timestampFromMs(identity.helloMs),
    },
  });
}
