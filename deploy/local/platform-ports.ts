import { portIsFree } from './port.ts';

/** Replicas beyond this would run into the next range of ports. */
export const REPLICAS_MAX = 10;
export const GATEWAY_PORT_DEFAULT = 7070;
/** Distance from the gateway's port to the last derived one. */
export const PORT_SPAN = 49;

/** How many processes of a service run. */
export interface Replicas {
  readonly command: number;
  readonly evaluator: number;
}

export interface PlatformPorts {
  readonly gateway: number;
  /** Executor port of each command replica. */
  readonly links: readonly number[];
  /** Internal port of each command replica. */
  readonly commands: readonly number[];
  readonly postgres: number;
  readonly nats: number;
  readonly strategy: number;
  readonly market: number;
  readonly session: number;
  readonly backtest: number;
  readonly alert: number;
  /** Internal port of each evaluator replica. */
  readonly evaluators: readonly number[];
}

/** All ports of a platform, derived from its gateway's. @throws RangeError when they would leave the range of ports. */
export function derivePorts(gateway: number, replicas: Replicas): PlatformPorts {
  if (gateway < 1 || gateway + PORT_SPAN > 65_535) {
    throw new RangeError(`the port must be between 1 and ${65_535 - PORT_SPAN}, because others are counted up from it`);
  }
  return {
    gateway,
    links: counted(gateway + 10, replicas.command),
    commands: counted(gateway + 20, replicas.command),
    postgres: gateway + 30,
    nats: gateway + 31,
    strategy: gateway + 32,
    market: gateway + 33,
    session: gateway + 34,
    backtest: gateway + 35,
    alert: gateway + 36,
    evaluators: counted(gateway + 40, replicas.evaluator),
  };
}

function counted(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

/** @throws Error in one sentence that names every taken port and its use. */
export async function requireFree(ports: PlatformPorts, natsIsOurs: boolean): Promise<void> {
  const wanted: readonly (readonly [string, number])[] = [
    ['the gateway', ports.gateway],
    ...ports.links.map((port) => ['executors', port] as const),
    ...ports.commands.map((port) => ['the command service', port] as const),
    ['the strategy service', ports.strategy],
    ['the market service', ports.market],
    ['the session service', ports.session],
    ['back-tests', ports.backtest],
    ['alerts', ports.alert],
    ...ports.evaluators.map((port) => ['the evaluator service', port] as const),
    ['PostgreSQL', ports.postgres],
    ...(natsIsOurs ? [['NATS', ports.nats] as const] : []),
  ];
  const free = await Promise.all(wanted.map(([, port]) => portIsFree(port)));
  const taken = wanted.filter((_, index) => free[index] === false).map(([use, port]) => `${port} (for ${use})`);
  if (taken.length === 0) return;
  const noun = taken.length === 1 ? `port ${taken[0]} is` : `ports ${taken.join(', ')} are`;
  throw new Error(
    `${noun} taken; stop what listens there, or choose other ports with --port N (all are counted up from N)`,
  );
}
