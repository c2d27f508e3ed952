import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { derivePorts, requireFree } from './platform-ports.ts';
import { freePort, LOOPBACK } from './port.ts';

describe('platform ports', () => {
  test('all are counted up from the gateway', () => {
    expect(derivePorts(7070, 2)).toEqual({
      gateway: 7070,
      links: [7080, 7081],
      commands: [7090, 7091],
      postgres: 7100,
      nats: 7101,
    });
  });

  test('no two are the same, whatever the number of replicas', () => {
    const { gateway, links, commands, postgres, nats } = derivePorts(7070, 10);
    const all = [gateway, ...links, ...commands, postgres, nats];
    expect(new Set(all).size).toBe(all.length);
  });

  test.each([0, -1, 65_505])('%i leaves the range of ports', (port) => {
    expect(() => derivePorts(port, 1)).toThrow(RangeError);
  });

  test('a taken port is named with its use; NATS counts only when it is ours', async () => {
    const ports = derivePorts(await freePort(), 1);
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
