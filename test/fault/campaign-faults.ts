import { setTimeout as pause } from 'node:timers/promises';
import type { RecordingAgent } from '../harness/recording-agent.ts';
import type { TestStack } from '../harness/stack.ts';
import type { Direction, TcpProxy } from '../harness/tcp-proxy.ts';
import type { Random } from './random.ts';
import { whileCancelling, whileLocked, whileReadOnly } from './unwilling-postgres.ts';

/** What a campaign may break. */
export interface Targets {
  readonly stack: TestStack;
  readonly agents: readonly [RecordingAgent, ...RecordingAgent[]];
  /** Between agents and replicas. */
  readonly proxies: readonly [TcpProxy, ...TcpProxy[]];
}

/** One kind of fault: what it breaks and how it is mended again. */
export interface FaultKind {
  readonly name: string;
  /** Nobody may be able to move a command while it lasts. */
  readonly platformAway: boolean;
  readonly weight: number;
  /** Breaks, waits for `lastMs` and mends; whole again when it resolves. */
  readonly run: (targets: Targets, random: Random, lastMs: number) => Promise<void>;
}

/** Faults of processes and servers: one at a time, since they share what they break. */
export const PROCESS_FAULTS: readonly [FaultKind, ...FaultKind[]] = [
  {
    name: 'replica killed',
    platformAway: false,
    weight: 4,
    run: async ({ stack }, random, lastMs) => {
      const index = random.below(stack.replicas.length);
      await stack.killReplica(index);
      await pause(lastMs);
      await stack.replica(index).start();
    },
  },
  {
    name: 'replica drained and restarted',
    platformAway: false,
    weight: 2,
    run: async ({ stack }, random) => {
      await stack.replica(random.below(stack.replicas.length)).restart();
    },
  },
  {
    name: 'all replicas killed',
    platformAway: true,
    weight: 1,
    run: async ({ stack }, _random, lastMs) => {
      await Promise.all(stack.replicas.map((replica) => replica.kill()));
      await pause(lastMs);
      await Promise.all(stack.replicas.map((replica) => replica.start()));
    },
  },
  {
    // It may be stopped in the middle of a transaction, with the account's row in its hands.
    name: 'replica frozen',
    platformAway: true,
    weight: 3,
    run: async ({ stack }, random, lastMs) => {
      const replica = stack.replica(random.below(stack.replicas.length));
      replica.pause();
      await pause(lastMs);
      replica.resume();
    },
  },
  {
    name: 'agent killed',
    platformAway: false,
    weight: 4,
    run: async ({ agents }, random, lastMs) => {
      const agent = random.pick(agents);
      await agent.kill();
      await pause(lastMs);
      await agent.start();
    },
  },
  {
    name: 'agent frozen',
    platformAway: false,
    weight: 3,
    run: async ({ agents }, random, lastMs) => {
      const agent = random.pick(agents);
      agent.pause();
      await pause(lastMs);
      agent.resume();
    },
  },
  {
    name: 'NATS stopped',
    platformAway: false,
    weight: 2,
    run: async ({ stack }, _random, lastMs) => {
      await stack.nats?.stop();
      await pause(lastMs);
      await stack.nats?.start();
    },
  },
  {
    name: 'Postgres restarted',
    platformAway: true,
    weight: 2,
    run: async ({ stack }) => {
      await stack.postgres?.restart();
    },
  },
  {
    name: 'Postgres killed',
    platformAway: true,
    weight: 1,
    run: async ({ stack }, _random, lastMs) => {
      await stack.postgres?.kill();
      await pause(lastMs);
      await stack.postgres?.start();
    },
  },
  {
    name: 'Postgres read-only',
    platformAway: true,
    weight: 1,
    run: ({ stack }, _random, lastMs) => whileReadOnly(stack.databaseUrl, () => pause(lastMs)),
  },
  {
    name: 'statements cancelled',
    platformAway: true,
    weight: 1,
    run: ({ stack }, _random, lastMs) => whileCancelling(stack.databaseUrl, () => pause(lastMs)),
  },
  {
    name: 'table locked',
    platformAway: true,
    weight: 1,
    run: ({ stack }, _random, lastMs) => whileLocked(stack.databaseUrl, () => pause(lastMs)),
  },
  {
    name: 'gateway killed',
    platformAway: false,
    weight: 1,
    run: async ({ stack }, _random, lastMs) => {
      await stack.gateway?.kill();
      await pause(lastMs);
      await stack.gateway?.start();
    },
  },
];

/** Faults of networks and venues: they come beside those of processes. */
export const NETWORK_FAULTS: readonly [FaultKind, ...FaultKind[]] = [
  {
    name: 'connections cut',
    platformAway: false,
    weight: 4,
    run: ({ proxies }, random) => Promise.resolve(random.pick(proxies).cut()),
  },
  {
    name: 'connections refused',
    platformAway: false,
    weight: 2,
    run: (targets, random, lastMs) => whileBad(random.pick(targets.proxies), lastMs, (proxy) => proxy.refuse()),
  },
  {
    name: 'one direction swallowed',
    platformAway: false,
    weight: 3,
    run: (targets, random, lastMs) => {
      const direction = random.pick<Direction>(['up', 'down']);
      return whileBad(random.pick(targets.proxies), lastMs, (proxy) => proxy.blackhole(direction));
    },
  },
  {
    name: 'bytes delayed',
    platformAway: false,
    weight: 2,
    run: (targets, random, lastMs) => {
      const delayMs = 20 + random.below(500);
      return whileBad(random.pick(targets.proxies), lastMs, (proxy) => proxy.delay(delayMs));
    },
  },
  {
    name: 'venue fails in passing',
    platformAway: false,
    weight: 2,
    run: ({ agents }, random, lastMs) => whileControlled(random.pick(agents), lastMs, { fail: 'retryable' }),
  },
  {
    name: 'venue hangs after the effect',
    platformAway: false,
    weight: 2,
    run: ({ agents }, random, lastMs) => whileControlled(random.pick(agents), lastMs, { hold: 'after' }),
  },
  {
    name: 'venue is slow',
    platformAway: false,
    weight: 2,
    run: ({ agents }, random, lastMs) => whileControlled(random.pick(agents), lastMs, { workMs: 30 }),
  },
];

async function whileBad(proxy: TcpProxy, lastMs: number, spoil: (proxy: TcpProxy) => void): Promise<void> {
  spoil(proxy);
  await pause(lastMs);
  proxy.heal();
}

async function whileControlled(
  agent: RecordingAgent,
  lastMs: number,
  control: Parameters<RecordingAgent['control']>[0],
): Promise<void> {
  agent.control(control);
  await pause(lastMs);
  agent.control({});
}

export function pickFault(kinds: readonly [FaultKind, ...FaultKind[]], random: Random): FaultKind {
  let ticket = random.below(kinds.reduce((sum, kind) => sum + kind.weight, 0));
  for (const kind of kinds) {
    ticket -= kind.weight;
    if (ticket < 0) return kind;
  }
  return kinds[0];
}
