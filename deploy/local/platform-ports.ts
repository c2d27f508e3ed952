import { portIsFree } from './port.ts';

/** Replicas beyond this would run into the next range of ports. */
export const COMMAND_REPLICAS_MAX = 10;
export const GATEWAY_PORT_DEFAULT = 7070;
/** Distance from the gateway's port to the last derived one. */
const PORT_SPAN = 31;

export interface PlatformPorts {
  readonly gateway: number;
  /** Executor port of each command replica. */
  readonly links: readonly number[];
  /** Internal port of each command replica. */
  readonly commands: readonly number[];
  readonly postgres: number;
  readonly nats: number;
}

/** All ports of a platform, derived from its gateway's. @throws RangeError when they would leave the range of ports. */
export function derivePorts(gateway: number, commandReplicas: number): PlatformPorts {
  if (gateway < 1 || gateway + PORT_SPAN > 65_535) {
    throw new RangeError(`the port must be between 1 and ${65_535 - PORT_SPAN}, because others are counted up from it`);
  }
  const replicas = Array.from({ length: commandReplicas }, (_, index) => index);
  return {
    gateway,
    links: replicas.map((index) => gateway + 10 + index),
    commands: replicas.map((index) => gateway + 20 + index),
    postgres: gateway + 30,
    nats: gateway + PORT_SPAN,
  };
}

/** @throws Error in one sentence that names every taken port and its use. */
export async function requireFree(ports: PlatformPorts, natsIsOurs: boolean): Promise<void> {
  const wanted: readonly (readonly [string, number])[] = [
    ['the gateway', ports.gateway],
    ...ports.links.map((port) => ['executors', port] as const),
    ...ports.commands.map((port) => ['the command service', port] as const),
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
