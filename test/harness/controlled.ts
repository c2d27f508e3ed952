/** A process, or a server that is one, as tests handle it. */
export interface Process {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  signal(signal: NodeJS.Signals): unknown;
  /** Idempotent; also forgets a process that has died. */
  stop(): Promise<void>;
}

/** One process of a stack that a test can kill, pause and start again on the same ports. */
export class Controlled<T extends Process> implements AsyncDisposable {
  readonly name: string;
  readonly #start: () => Promise<T>;
  #current: T | undefined;

  constructor(name: string, start: () => Promise<T>) {
    this.name = name;
    this.#start = start;
  }

  /** Whether it has been started and neither stopped nor killed through this handle. */
  get started(): boolean {
    return this.#current !== undefined;
  }

  /** The process as it runs now, or ran last. @throws Error before the first start. */
  get current(): T {
    if (this.#current === undefined) throw new Error(`${this.name} has not been started`);
    return this.#current;
  }

  /** Starts it and resolves when it is ready. @throws Error when it runs already. */
  async start(): Promise<T> {
    if (this.#current !== undefined) throw new Error(`${this.name} runs already; stop it first`);
    this.#current = await this.#start();
    return this.#current;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const { current } = this;
    current.signal('SIGKILL');
    await current.exited;
    await this.stop();
  }

  /** Stops it cleanly; nothing when it does not run. */
  async stop(): Promise<void> {
    await this.#current?.stop();
    this.#current = undefined;
  }

  async restart(): Promise<T> {
    await this.stop();
    return this.start();
  }

  /** SIGSTOP: alive, connected, and silent. */
  pause(): void {
    this.current.signal('SIGSTOP');
  }

  resume(): void {
    this.current.signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
