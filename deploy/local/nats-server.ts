import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Running } from '../../services/platform/lifecycle.ts';
import type { DataDirectory } from './data-directory.ts';
import { LogFile } from './log-file.ts';
import { natsBinary } from './nats-binary.ts';
import { type Exit, OwnedProcess } from './owned-process.ts';
import { LOOPBACK, portIsFree } from './port.ts';
import { endRecorded } from './process-record.ts';

const READY_MS_MAX = 15_000;
const READY_POLL_MS = 15;
const GREETING_MS_MAX = 1_000;
const NATS_PORT_DEFAULT = 4_222;
const STOP_STEPS = [
  { signal: 'SIGTERM', waitMs: 3_000 },
  { signal: 'SIGKILL', waitMs: 2_000 },
] as const;

export interface NatsServerOptions {
  readonly data: DataDirectory;
  readonly port: number;
  /** The program, where the caller has found it already. */
  readonly binary?: string;
}

/** A nats-server on the loopback interface that belongs to one data folder. It keeps nothing: NATS is only the doorbell. */
export class NatsServer implements Running {
  readonly port: number;
  readonly url: string;
  readonly #process: OwnedProcess;
  #stopping: Promise<void> | undefined;

  private constructor(running: OwnedProcess, port: number) {
    this.#process = running;
    this.port = port;
    this.url = `nats://${LOOPBACK}:${port}`;
  }

  /**
   * Ends the server that a killed run has left over, starts a new one and resolves when it greets.
   * @throws Error in one sentence: port taken, no nats-server to be had.
   */
  static async start({ data, port, binary }: NatsServerOptions): Promise<NatsServer> {
    const record = data.record('nats');
    await endRecorded(record, STOP_STEPS);
    const program = binary ?? (await natsBinary(data.root));
    if (!(await portIsFree(port))) {
      throw new Error(`port ${port} for NATS is taken; stop what listens there, or move all ports with --port N`);
    }
    const configFile = join(data.root, 'nats.conf');
    await writeFile(configFile, config(port));
    const log = await LogFile.begin(data.log('nats'));
    try {
      const args = ['--config', configFile];
      const running = await OwnedProcess.spawn({ program, args, env: { LC_ALL: 'C' }, log, recordFile: record });
      await becomesReady(running, port);
      return new NatsServer(running, port);
    } catch (thrown) {
      log.close();
      throw thrown;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the server process has ended, wanted or not. */
  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Sends a signal to the server process, such as SIGKILL or SIGSTOP in a fault test. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#process.end(STOP_STEPS);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Lost clients are noticed within 20 s instead of the usual four minutes. */
function config(port: number): string {
  return [
    `listen: "${LOOPBACK}:${port}"`,
    'ping_interval: "10s"',
    'ping_max: 2',
    'write_deadline: "5s"',
    'max_payload: 1048576',
    'lame_duck_duration: "30s"',
    '',
  ].join('\n');
}

async function becomesReady(server: OwnedProcess, port: number): Promise<void> {
  const endMs = performance.now() + READY_MS_MAX;
  while (!(await greets(LOOPBACK, port))) {
    if (server.running && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
      continue;
    }
    await server.end(STOP_STEPS);
    const said = (await server.log.tail(10)).join('\n');
    throw new Error(`nats-server does not start; its log ${server.log.path} ends with:\n${said}`);
  }
}

/** Whether a NATS server answers at the address at this moment. */
export function natsAnswers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`);
  return greets(hostname, port === '' ? NATS_PORT_DEFAULT : Number(port));
}

/** A NATS server speaks first, with INFO. */
function greets(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (greeted: boolean): void => {
      socket.destroy();
      resolve(greeted);
    };
    socket.setTimeout(GREETING_MS_MAX, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('data', (bytes) => answer(bytes.toString('latin1').startsWith('INFO')));
  });
}
