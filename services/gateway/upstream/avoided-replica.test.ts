import { Code, ConnectError, createHandlerContext, type HandlerContext, type Transport } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { ExecutorLinkService } from '../../../proto/gen/strategos/command/v1/executor_link_service_pb.js';
import { ManualClock } from '../../platform/clock.ts';
import { createLinkUpstream } from './link-upstream.ts';

const HOURS_MS = 7_200_000;
const AVOID_MS = 2_000;

function pollOf(keyId: string): HandlerContext {
  return createHandlerContext({
    service: ExecutorLinkService,
    method: ExecutorLinkService.method.pollCommands,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: 'http://test/',
    requestHeader: { authorization: `Bearer ${keyId}.${'s'.repeat(43)}` },
  });
}

test.each([0, -HOURS_MS, HOURS_MS])(
  'a replica that went away is asked last for a moment, the clock set by %d ms',
  async (ms) => {
    const clock = new ManualClock();
    const upstream = createLinkUpstream({
      urls: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      watchesEnd: new AbortController().signal,
      clock,
      onCredential: () => undefined,
    });
    try {
      const context = pollOf('key0');
      let away: Transport | undefined;
      const first = await upstream.run(context, async (transport) => {
        away ??= transport;
        if (transport === away) throw new ConnectError('cannot reach it', Code.Unavailable);
        return transport;
      });
      expect(first).not.toBe(away);
      const asked = (): Promise<Transport> => upstream.run(context, async (transport) => transport);
      clock.step(ms);
      clock.advance(AVOID_MS - 1);
      expect(await asked()).toBe(first);
      clock.advance(1);
      expect(await asked()).toBe(away);
    } finally {
      upstream.close();
    }
  },
);
