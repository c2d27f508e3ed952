import type { Fault, FaultKind } from './fault.ts';

/** Who sends the requests that an exception is about. */
export type Sender = 'operators' | 'traders' | 'agents';

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
    'SettleCommandRequest.id',
    'SettleCommandRequest.outcome',
    'SettleCommandRequest.note',
    'SettledFill.symbol',
    'SettledFill.side',
    'SettledFill.quantity',
    'SettledFill.price',
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
  traders: [
    'CreateStrategyRequest.source',
    'UpdateStrategyRequest.strategy',
    'UpdateStrategyRequest.revision',
    'UpdateStrategyRequest.source',
    'DeleteStrategyRequest.strategy',
    'GetStrategyRequest.strategy',
    'ListRevisionsRequest.strategy',
    'ValidateStrategyRequest.source',
    'StrategyDefinition.strategy_name',
    'Condition.id',
    'Condition.indicator_id',
    'Condition.operator',
    'PositionSize.type',
    'PositionSize.value',
    'ExitOffset.offset_percent',
    'ImportDatasetRequest.name',
    'ImportDatasetRequest.content',
    'ReadDatasetRequest.dataset',
    'ReadDatasetRequest.symbol',
    'StartSourceRequest.symbol',
    'StartSourceRequest.kind',
    'ReplaySource.dataset',
    'SimulationSource.start_price',
    'ExchangeSource.exchange',
    'ExchangeSource.exchange_symbol',
    'StopSourceRequest.source',
    'SymbolCursor.symbol',
    'WatchPricesRequest.symbols',
    'WatchIndicatorsRequest.interests',
    'IndicatorInterest.cursor',
    'IndicatorInterest.indicator_ids',
    'ExplainInstanceRequest.session_id',
    'ExplainInstanceRequest.strategy',
    'ExplainInstanceRequest.symbol',
    'RunBacktestRequest.strategies',
    'RunBacktestRequest.data',
    'RunBacktestRequest.symbol',
    'RunBacktestRequest.initial_balance',
    'BacktestStrategy.source',
    'StrategySelection.strategy',
    'StrategySelection.symbols',
    'StartSessionRequest.mode',
    'StartSessionRequest.executor',
    'StartSessionRequest.strategies',
    'StartSessionRequest.initial_balance',
    'StopSessionRequest.id',
    'PauseSessionRequest.id',
    'ResumeSessionRequest.id',
    'GetSessionRequest.id',
    'WatchSessionRequest.id',
    'ActivateStrategyRequest.id',
    'ActivateStrategyRequest.selection',
    'DeactivateStrategyRequest.id',
    'DeactivateStrategyRequest.strategy',
    'StopAllRequest.scope',
  ],
  agents: [
    'ConnectRequest.frame',
    'PollCommandsRequest.hello',
    'Hello.journal_id',
    'Hello.in_flight_max',
    'SymbolInterest.symbol',
  ],
};

/** Faults that are none, as "kind Message.field" or, for a single value, "kind Message.field (value)", each with the reason. */
const TOLERATED: Readonly<Record<Sender, Readonly<Record<string, string>>>> = {
  operators: {
    'unspecified IssueCommandRequest.lane': 'zero means the lane of the kind',
    'unspecified StartSession.disconnect_policy': 'zero means that the agent keeps its own policy',
    'unspecified Preconditions.session_state': 'zero asks nothing',
    ...anyMarketTime('OpenPosition.reference_time'),
    ...anyMarketTime('ClosePosition.reference_time'),
    ...anyMarketTime('SettledFill.fill_time'),
    'control characters Ping.payload': 'a text that means nothing to the platform and comes back as it is',
  },
  traders: {
    'not an id Condition.id': 'the author names conditions',
    'unknown name Condition.id': 'the author names conditions',
    'out of range Condition.value': 'an indicator may have any finite value',
    'out of range SimulationSource.seed': 'any number is a seed',
    'out of range SymbolCursor.sequence ("-1")': 'below one means new events only',
    'out of range SymbolCursor.sequence ("-9223372036854775808")': 'below one means new events only',
    'bad time SymbolCursor.after_time ("1999-01-01T00:00:00Z")': 'market time may lie in the past',
    'bad time SymbolCursor.after_time ("9999-12-31T23:59:59Z")': 'all events are before it: new ones only',
    'unknown name StrategySelection.strategy':
      'told with all that stands against an activation, as FAILED_PRECONDITION',
    'unspecified StartSessionRequest.pin_policy': 'zero means FOLLOW_LATEST',
    'unspecified StartSessionRequest.disconnect_policy': 'zero means HOLD',
  },
  agents: {
    'unspecified JournalEntry.state': 'an entry is believed to be held, whatever its state',
    'wrong enum JournalEntry.state': 'an entry is believed to be held, whatever its state',
    'out of range JournalEntry.attempt': 'not looked at',
    'not an id JournalEntry.command_id': 'an entry that names no command of ours must not keep the agent out',
    'oversized JournalEntry.command_id': 'as above',
    'control characters JournalEntry.command_id': 'as above',
    'oversized Hello.journal': 'an agent must be able to name all that it holds; the size of the message bounds it',
    'bad time Hello.agent_time': 'for people only; an agent must not be kept out by its clock',
    ...forPeople('Hello', ['agent_version', 'contract_digest', 'host', 'platform']),
    ...forPeople('Goodbye', ['reason']),
    'out of range PollCommandsRequest.stream_epoch': 'an epoch that is not the newest is answered with a new one',
    'out of range ReportEventsRequest.stream_epoch': 'an epoch that is not the newest is ABORTED',
    'out of range Heartbeat.number': 'any number is answered with itself',
    'out of range HeartbeatReply.number': 'a number that nobody asked for proves that the agent is there',
    'bad time HeartbeatReply.time': 'not looked at',
    'oversized EventBatch.events': 'the size of the message bounds it',
    ...anyMarketTime('SymbolInterest.from_time'),
  },
};

/** Years far off that only look wrong. */
function anyMarketTime(field: string): Record<string, string> {
  return {
    [`bad time ${field} ("1999-01-01T00:00:00Z")`]: 'market time may lie in the past: that of a replay does',
    [`bad time ${field} ("9999-12-31T23:59:59Z")`]: 'market time is compared with market time alone',
  };
}

/** Cut to a bearable length, cleaned, and shown; nothing rests on it. */
function forPeople(message: string, fields: readonly string[]): Record<string, string> {
  const kinds = ['oversized', 'control characters'];
  return Object.fromEntries(
    fields.flatMap((field) =>
      kinds.map((kind) => [`${kind} ${message}.${field}`, 'cut, cleaned and shown; nothing rests on it']),
    ),
  );
}

/** What only the form of a message can get wrong; everything else is a matter of its content. */
const FORM: readonly FaultKind[] = [
  'renamed',
  'unknown',
  'mistyped',
  'misnamed enum',
  'not UTF-8',
  'two cases',
  'broken framing',
  'too large',
];

/**
 * Messages of which only the form is looked at, each with the reason. A fact about a command is taken whatever stands beside it,
 * because a receipt or a result must not be lost over its wording: what it holds is stored as it is, cut, or passed over and
 * named in the log.
 */
const FORM_ONLY: Readonly<Record<Sender, Readonly<Record<string, string>>>> = {
  operators: {},
  traders: {},
  agents: {
    ExecutorEvent: 'an event that names no command of the agent is passed over, so that the others of its batch count',
    CommandProgress: 'shown while the command runs',
    Finished: 'an end that is none is OUTCOME_UNKNOWN, never a better one',
    CommandError: 'cut and shown; a reason that is not known is ADAPTER_FAILED',
    CommandResult: "the agent's own words; too large a one is replaced by a sentence",
    ExecutorStatus: 'as CommandResult',
    Session: 'as CommandResult',
    Instance: 'as CommandResult',
    Position: 'as CommandResult',
    Fill: 'as CommandResult',
    AlreadyClosed: 'as CommandResult',
    VenueEvent: 'what a venue did is a fact: one that cannot be read is passed over and named in the log',
    PositionClosed: 'as VenueEvent',
    OrdersCancelled: 'as VenueEvent',
    DisconnectPolicyApplied: 'as VenueEvent',
    EquityReport: 'as VenueEvent',
  },
};

/** Says which faults are to be let through, and which exceptions nobody needed. */
export class Tolerances {
  readonly #required: ReadonlySet<string>;
  readonly #tolerated: ReadonlySet<string>;
  readonly #formOnly: ReadonlySet<string>;
  readonly #unused: Set<string>;

  constructor(sender: Sender) {
    this.#required = new Set(REQUIRED[sender]);
    this.#tolerated = new Set(Object.keys(TOLERATED[sender]));
    this.#formOnly = new Set(Object.keys(FORM_ONLY[sender]));
    this.#unused = new Set([...this.#tolerated, ...this.#required, ...this.#formOnly]);
  }

  covers({ kind, subject, detail }: Fault): boolean {
    if (kind === 'missing') {
      this.#unused.delete(subject);
      return !this.#required.has(subject);
    }
    const message = subject.split('.', 1)[0] ?? '';
    if (this.#formOnly.has(message) && !FORM.includes(kind)) {
      this.#unused.delete(message);
      return true;
    }
    const keys = [`${kind} ${subject}`, `${kind} ${subject} (${detail})`];
    for (const key of keys) this.#unused.delete(key);
    return keys.some((key) => this.#tolerated.has(key));
  }

  /** Exceptions that no fault of any request fell under. */
  unused(): string[] {
    return [...this.#unused];
  }
}
