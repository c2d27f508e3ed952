// All subjects of this platform. A subject token holds no '.', '*', '>' nor white space, so that nobody's id can listen to
// or speak as another's; whatever is not a plain letter, digit, '-' or '_' is written as '=' and its two hex digits.

/** An id as one subject token. Different ids give different tokens. */
export function subjectToken(id: string): string {
  if (id === '') throw new Error('an empty id has no subject');
  return [...new TextEncoder().encode(id)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** The id of a subject made here: its last token. */
export function subjectId(subject: string): string {
  const token = subject.slice(subject.lastIndexOf('.') + 1);
  const bytes = token.replace(/=([0-9a-f]{2})|(.)/g, (_match, hex: string | undefined, char: string | undefined) =>
    String.fromCharCode(hex === undefined ? (char ?? '').charCodeAt(0) : Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The executor has commands to look at. */
export function executorWakeSubject(executorId: string): string {
  return `strategos.wake.${subjectToken(executorId)}`;
}

/** Every executor's wake-up. */
export function executorWakeSubjects(): string {
  return 'strategos.wake.*';
}

/** The owner of the executor's stream must read its row again: disabled, credentials changed, superseded. */
export function executorReviewSubject(executorId: string): string {
  return `strategos.review.${subjectToken(executorId)}`;
}

/** Every executor's review. */
export function executorReviewSubjects(): string {
  return 'strategos.review.*';
}

/** The account's command history has grown. */
export function historySubject(accountId: string): string {
  return `strategos.history.${subjectToken(accountId)}`;
}

/** Every account's history. */
export function historySubjects(): string {
  return 'strategos.history.*';
}

/** An agent of the account has reported what happened at its venue. */
export function venueSubject(accountId: string): string {
  return `strategos.venue.${subjectToken(accountId)}`;
}

/** Every account's venue events. */
export function venueSubjects(): string {
  return 'strategos.venue.*';
}

/** An executor of the account was made, changed, connected or lost. */
export function executorChangedSubject(accountId: string): string {
  return `strategos.executor.${subjectToken(accountId)}`;
}

/** Every account's executors. */
export function executorChangedSubjects(): string {
  return 'strategos.executor.*';
}

/** A strategy of the account was changed: carries a StrategyChange. */
export function strategyChangedSubject(accountId: string): string {
  return `strategos.strategy.${subjectToken(accountId)}`;
}

/** Every account's changes of strategies. */
export function strategyChangedSubjects(): string {
  return 'strategos.strategy.*';
}

/** A message that somebody sends to itself, to see whether it comes back. */
export function probeSubject(id: string): string {
  return `strategos.probe.${subjectToken(id)}`;
}

/** A source of the account was started, stopped or taken over. */
export function marketSubject(accountId: string): string {
  return `strategos.market.${subjectToken(accountId)}`;
}

/** Every account's sources. */
export function marketSubjects(): string {
  return 'strategos.market.*';
}

/** Somebody has changed which instances of the account are wanted, or how. */
export function instanceSubject(accountId: string): string {
  return `strategos.instance.${subjectToken(accountId)}`;
}

/** Every account's wanted instances. */
export function instanceSubjects(): string {
  return 'strategos.instance.*';
}

/** Outcomes for instances of the account are stored. */
export function outcomeSubject(accountId: string): string {
  return `strategos.outcome.${subjectToken(accountId)}`;
}

/** Every account's outcomes. */
export function outcomeSubjects(): string {
  return 'strategos.outcome.*';
}

/** An owner has written to instances of the account. */
export function evaluationSubject(accountId: string): string {
  return `strategos.evaluation.${subjectToken(accountId)}`;
}

/** Every account's evaluations. */
export function evaluationSubjects(): string {
  return 'strategos.evaluation.*';
}

/** The session has changed, or wants work. */
export function sessionChangedSubject(sessionId: string): string {
  return `strategos.session.${subjectToken(sessionId)}`;
}

/** Every session. */
export function sessionChangedSubjects(): string {
  return 'strategos.session.*';
}
