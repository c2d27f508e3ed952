import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { derivePorts, REPLICAS_MAX, requireFree } from './platform-ports.ts';
import { freePort, LOOPBACK } from './port.ts';

const ONE_EACH = { command: 1, evaluator: 1 };

describe('platform ports', () => {
  test('all are counted up from the gateway', () => {
    expect(derivePorts(7070, { command: 2, evaluator: 3 })).toEqual({
      gateway: 7070,
      links: [7080, 7081],
      commands: [7090, 7091],
      postgres: 7100,
      nats: 7101,
      strategy: 7102,
      market: 7103,
      session: 7104,
      backtest: 7105,
      alert: 7106,
      evaluators: [7110, 7111, 7112],
    });
  });

  test('no two are the same, whatever the number of replicas', () => {
    const all = Object.values(derivePorts(7070, { command: REPLICAS_MAX, evaluator: REPLICAS_MAX })).flat();
    expect(all.length).toBeGreaterThan(3 * REPLICAS_MAX);
    expect(new Set(all).size).toBe(all.length);
  });

  test.each([0, -1, 65_487])('%i leaves the range of ports', (port) => {
    expect(() => derivePorts(port, ONE_EACH)).toThrow(RangeError);
  });

  test('a taken port is named with its use; NATS counts only when it is ours', async () => {
    const ports = derivePorts(await freePort(), ONE_EACH);
    await requireFree(ports, true);
    const taken = createServer().listen(ports.nats, LOOPBACK);
    await once(taken, 'listening');
    await expect(requireFree(ports, true)).rejects.toThrow(
      `port ${ports.nats} (for NATS) is taken; stop what listens there, or choose other ports with --port N`,
    );
    await requireFree(ports, false);
    taken.close();
    await once(taken, 'close');
  });
});
