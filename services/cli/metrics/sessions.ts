import type { Registry } from 'prom-client';
import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { ActivationState, type Session, SessionState } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import type { Clients } from '../client.ts';
import { CALL, completeness, type Listed, listed, type Part, part, type Sample, word } from './part.ts';

const SESSIONS_MAX = 10_000;
const OPEN = [SessionState.STARTING, SessionState.ACTIVE, SessionState.PAUSED, SessionState.STOPPING];

const GAUGES = {
  sessions: ['Sessions that have not ended, by state', 'state'],
  activations: [
    'Strategies on symbols of sessions that have not ended, by state: what is pending or failed has something missing',
    'state',
  ],
  sessions_complete: [`1 when these figures are of all such sessions, 0 when there are more than ${SESSIONS_MAX}`],
  sessions_by_freshness: ['Sessions that have not ended, by the worst freshness of their symbols', 'freshness'],
} as const;

/** What trades. */
export function sessionPart(registry: Registry): Part {
  return part(registry, 'sessions', GAUGES, async (clients) => {
    const { items: open, complete } = await openSessions(clients);
    const activations = open.flatMap((session) => session.activations);
    return {
      sessions: counted(
        'state',
        OPEN.map((state) => word(SessionState[state])),
        open.map(({ state }) => word(SessionState[state])),
      ),
      activations: counted(
        'state',
        ['active'],
        activations.map(({ state }) => word(ActivationState[state])),
      ),
      sessions_complete: completeness(complete),
      sessions_by_freshness: counted(
        'freshness',
        [],
        open.map(({ freshness }) => word(Freshness[freshness])),
      ),
    };
  });
}

function openSessions({ sessions }: Clients): Promise<Listed<Session>> {
  return listed(SESSIONS_MAX, async (pageSize, pageToken) => {
    const page = await sessions.listSessions({ states: OPEN, pageSize, pageToken }, CALL);
    return { items: page.sessions, nextPageToken: page.nextPageToken };
  });
}

/** How often each word occurs; those of `always` also where it is never. */
function counted(label: string, always: readonly string[], words: readonly string[]): Sample[] {
  const counts = new Map(always.map((each) => [each, 0]));
  for (const each of words) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].map(([each, value]) => ({ labels: { [label]: each }, value }));
}
