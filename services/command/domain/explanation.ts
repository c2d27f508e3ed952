/** Names of the values of strategos.command.v1.Hop. */
export type HopName =
  | 'NONE'
  | 'EXECUTOR_NEVER_CONNECTED'
  | 'EXECUTOR_OFFLINE'
  | 'EXECUTOR_DISABLED'
  | 'CREDIT_LIMIT'
  | 'ORDERING_KEY'
  | 'RETRY_BACKOFF'
  | 'DISPATCH'
  | 'RECEIPT'
  | 'AGENT_START'
  | 'EXECUTION'
  | 'OVERRUN'
  | 'REFUSED'
  | 'AGENT_REFUSED';

export interface Explanation {
  readonly hop: HopName;
  /** One sentence for people; times in UTC. */
  readonly sentence: string;
}
