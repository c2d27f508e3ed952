import { randomInt } from 'node:crypto';
import { portIsFree } from '../../deploy/local/port.ts';
import { readEnv } from '../../services/platform/environment.ts';

/** Below the range from which systems take the ports of outgoing connections, in a part for each worker of a run. */
const PORTS = { first: 15_000, parts: 16, each: 1_050 } as const;
const TRIES_MAX = 1_000;

const part = Number(readEnv()['VITEST_POOL_ID'] ?? 0) % PORTS.parts;
const first = PORTS.first + part * PORTS.each;
/** What was given is not given again for so long: by then it is listened at, or nobody wants it any more. */
const KEPT_MS = 60_000;
/** Ports with when they were given: a worker that runs many files would have none left in the end. */
const given = new Map<number, number>();

/**
 * A random free loopback port with so many behind it that are not given to anybody else either: what is to listen there may
 * take seconds to start, and other workers look for ports meanwhile. @throws Error when none is left.
 */
export async function freePort(room = 1): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = first + randomInt(PORTS.each - room + 1);
    const wanted = Array.from({ length: room }, (_, index) => port + index);
    const nowMs = performance.now();
    if (wanted.some((each) => nowMs - (given.get(each) ?? -Infinity) < KEPT_MS)) continue;
    for (const each of wanted) given.set(each, nowMs);
    if (await portIsFree(port)) return port;
  }
  throw new Error(`no free port is left between ${first} and ${first + PORTS.each}`);
}
