/** Why a command is refused before it can have any effect. `reason` is an ErrorReason without its prefix. */
export interface Refusal {
  readonly reason: 'LOCAL_LIMIT' | 'PRECONDITION_FAILED' | 'KIND_UNSUPPORTED' | 'INVALID_FIELD';
  /** One sentence for people. */
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}
