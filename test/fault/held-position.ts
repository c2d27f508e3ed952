import { IntentType, OutcomeType } from '../../proto/gen/strategos/evaluator/v1/evaluator_pb.js';
import type { Session } from '../../proto/gen/strategos/session/v1/session_pb.js';
import { type RecordingAgent, startRecordingAgent } from '../harness/recording-agent.ts';
import type { RecordingControl } from '../harness/recording-control.ts';
import { pumpStrategy, type SessionWorld, SYMBOL } from '../harness/session-world.ts';

/** A paper session that holds one position, and the agent that plays its venue. */
export interface HeldPosition {
  readonly agent: RecordingAgent;
  readonly session: Session;
  /** What the agent's status lists of it: to be said with everything else that the agent is told. */
  readonly runs: NonNullable<RecordingControl['runs']>;
}

export interface HeldOptions {
  /** Name of an executor that is made for it; default vps-1. */
  readonly executor?: string;
  /** What the entry deals; default: what was ordered. */
  readonly fill?: { readonly quantity: string; readonly price: string };
  readonly start?: Parameters<SessionWorld['paper']>[2];
}

/** Starts a session of the strategy pump on a new executor, and enters. */
export async function holdPosition(
  world: SessionWorld,
  { executor = 'vps-1', fill, start }: HeldOptions = {},
): Promise<HeldPosition> {
  const strategyId = world.neighbours.strategy(pumpStrategy('pump'));
  const credentials = await world.stack.createExecutor(executor);
  const agent = await startRecordingAgent(world.stack, { credentials });
  const session = await world.paper(executor, 'pump', start);
  const runs = { sessionId: session.id, strategyId, symbol: SYMBOL };
  agent.control({ runs, ...(fill === undefined ? {} : dealt('openPosition', fill)) });
  await world.outcome(await world.decide(session, { type: IntentType.ENTER }), OutcomeType.OPENED);
  return { agent, session, runs };
}

/** What tells an agent to deal so much at that price for commands of these kinds. */
export function dealt(
  kinds: string | readonly string[],
  fill: { readonly quantity: string; readonly price: string },
): Pick<RecordingControl, 'kinds' | 'fills'> {
  return { kinds: [kinds].flat(), fills: [{ symbol: SYMBOL, ...fill }] };
}
