import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../deploy/local/service-process.ts';
import type { FleetCredential } from './fleet.ts';
import type { FleetOrder, FleetReport } from './fleet-process.ts';

/** The driver's end of a fleet that runs in a process of its own. */
export class FleetDriver implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(report: FleetReport) => void>();
  acknowledged = 0;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./fleet-process.ts', import.meta.url)), {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096', ...NODE_FLAGS],
    });
    this.#child.on('message', (report: FleetReport) => {
      if (report.type === 'acknowledged') this.acknowledged = report.total;
      for (const listener of this.#listeners) listener(report);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Connects one executor a credential; gives how long it took. */
  async connect(linkUrl: string, credentials: readonly FleetCredential[], atOnceMax = 200): Promise<number> {
    const connected = this.#when('connected');
    this.#send({ type: 'connect', linkUrl, credentials, atOnceMax });
    return (await connected).ms;
  }

  /** Resolves when so many results in all have been acknowledged as durable. */
  async untilAcknowledged(total: number, msMax: number): Promise<void> {
    if (this.acknowledged >= total) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`only ${this.acknowledged} of ${total} results were acknowledged within ${msMax} ms`)),
        msMax,
      );
      const listener = (): void => {
        if (this.acknowledged < total) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  async count(): Promise<{ readonly received: number; readonly duplicates: number }> {
    const counted = this.#when('counted');
    this.#send({ type: 'count' });
    return counted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#send({ type: 'close' });
    await exited;
  }

  #send(order: FleetOrder): void {
    this.#child.send(order);
  }

  #when<T extends FleetReport['type']>(type: T): Promise<Extract<FleetReport, { type: T }>> {
    const isAwaited = (report: FleetReport): report is Extract<FleetReport, { type: T }> => report.type === type;
    return new Promise((resolve) => {
      const listener = (report: FleetReport): void => {
        if (!isAwaited(report)) return;
        this.#listeners.delete(listener);
        resolve(report);
      };
      this.#listeners.add(listener);
    });
  }
}
