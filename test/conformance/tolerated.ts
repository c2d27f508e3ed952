import type { Fault } from './fault.ts';

/** Who sends the requests that an exception is about. */
export type Sender = 'operators' | 'agents';

/** Fields and oneofs without which a request means nothing; all others may be left out. */
const REQUIRED: Readonly<Record<Sender, readonly string[]>> = {
  operators: [
    'IssueCommandsRequest.requests',
    'IssueCommandRequest.executor',
    'IssueCommandRequest.kind',
    'StartStrategy.session_id',
    'StartStrategy.strategy_id',
    'StartStrategy.symbol',
    'StopStrategy.session_id',
    'StopStrategy.strategy_id',
    'StopStrategy.symbol',
    'StartSession.session_id',
    'StartSession.mode',
    'StopSession.session_id',
    'OpenPosition.symbol',
    'OpenPosition.side',
    'OpenPosition.quantity',
    'ClosePosition.symbol',
    'GetCommandRequest.id',
    'CancelCommandRequest.id',
    'RetryCommandRequest.id',
    'ExplainCommandRequest.id',
    'CreateExecutorRequest.name',
    'GetExecutorRequest.executor',
    'RotateCredentialsRequest.executor',
    'DisableExecutorRequest.executor',
    'CreateTokenRequest.name',
    'CreateTokenRequest.role',
    'RevokeTokenRequest.token',
    'CreateAccountRequest.account_id',
  ],
  agents: [],
};

/** Faults that are none, as "kind Message.field", each with the reason. */
const TOLERATED: Readonly<Record<Sender, Readonly<Record<string, string>>>> = {
  operators: {
    'unspecified IssueCommandRequest.lane': 'zero means the lane of the kind',
    'unspecified StartSession.disconnect_policy': 'zero means that the agent keeps its own policy',
    'unspecified Preconditions.session_state': 'zero asks nothing',
    'control characters Ping.payload': 'a text that means nothing to the platform and comes back as it is',
  },
  agents: {},
};

/** Says which faults are to be let through, and which exceptions nobody needed. */
export class Tolerances {
  readonly #required: ReadonlySet<string>;
  readonly #tolerated: ReadonlySet<string>;
  readonly #unused: Set<string>;

  constructor(sender: Sender) {
    this.#required = new Set(REQUIRED[sender]);
    this.#tolerated = new Set(Object.keys(TOLERATED[sender]));
    this.#unused = new Set([...this.#tolerated, ...this.#required]);
  }

  covers({ kind, subject }: Fault): boolean {
    if (kind === 'missing') {
      this.#unused.delete(subject);
      return !this.#required.has(subject);
    }
    const key = `${kind} ${subject}`;
    this.#unused.delete(key);
    return this.#tolerated.has(key);
  }

  /** Exceptions that no fault of any request fell under. */
  unused(): string[] {
    return [...this.#unused];
  }
}
