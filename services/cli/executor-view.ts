import colors from 'picocolors';
import { type Executor, ExecutorState, LinkKind } from '../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { formatDuration } from './duration.ts';
import type { Output } from './output.ts';
import { formatAge, formatTime } from './time.ts';

const STATE_COLORS: Readonly<Record<ExecutorState, (text: string) => string>> = {
  [ExecutorState.UNSPECIFIED]: colors.dim,
  [ExecutorState.NEVER_CONNECTED]: colors.yellow,
  [ExecutorState.ONLINE]: colors.green,
  [ExecutorState.OFFLINE]: colors.red,
  [ExecutorState.DISABLED]: colors.dim,
};

export const EXECUTOR_COLUMNS = ['NAME', 'STATE', 'LINK', 'IN FLIGHT', 'QUEUED', 'LAST SEEN', 'AGENT', 'LABELS', 'ID'];

export function executorRow(executor: Executor): string[] {
  return [
    executor.name,
    executorStateText(executor.state),
    linkText(executor.link),
    executor.inFlightMax === 0 ? String(executor.inFlight) : `${executor.inFlight}/${executor.inFlightMax}`,
    String(executor.queued),
    executor.lastSeenTime === undefined ? 'never' : `${formatAge(executor.lastSeenTime)} ago`,
    executor.agentVersion,
    labelText(executor),
    executor.id,
  ];
}

export function executorStateText(state: ExecutorState): string {
  const name = ExecutorState[state] ?? String(state);
  return (STATE_COLORS[state] ?? colors.dim)(name.toLowerCase().replaceAll('_', ' '));
}

/** Everything that is known of one executor, for people. */
export function showExecutor(out: Output, executor: Executor): void {
  out.details([
    ['name', executor.name],
    ['id', executor.id],
    ['state', executorStateText(executor.state)],
    ['link', linkText(executor.link)],
    ['labels', labelText(executor)],
    ['in flight', executor.inFlightMax === 0 ? undefined : `${executor.inFlight} of at most ${executor.inFlightMax}`],
    ['queued', String(executor.queued)],
    ['kinds', executor.kinds.join(', ')],
    [
      'agent',
      [executor.agentVersion, executor.host === '' ? '' : `on ${executor.host}`]
        .filter((part) => part !== '')
        .join(' '),
    ],
    ['replica', executor.ownerReplica],
    ['stream epoch', executor.streamEpoch === 0n ? undefined : String(executor.streamEpoch)],
    ['round trip', formatDuration(executor.roundTrip)],
    ['connected', formatTime(executor.connectTime)],
    ['last seen', formatTime(executor.lastSeenTime)],
    ['disconnected', formatTime(executor.disconnectTime)],
    ['because', executor.disconnectReason],
    [
      'takeovers',
      executor.takeovers === 0
        ? undefined
        : `${executor.takeovers}, the last at ${formatTime(executor.takeoverTime)}: two machines share its credential`,
    ],
    ['created', formatTime(executor.createTime)],
    ['disabled', formatTime(executor.disableTime)],
    ...executor.credentials.map((credential, index) => {
      const ends = credential.expireTime === undefined ? '' : `, ends ${formatTime(credential.expireTime)}`;
      return [
        index === 0 ? 'credentials' : '',
        `${credential.keyId} since ${formatTime(credential.createTime)}${ends}`,
      ] as const;
    }),
  ]);
}

function linkText(link: LinkKind): string {
  return link === LinkKind.UNSPECIFIED ? '' : (LinkKind[link] ?? String(link)).toLowerCase();
}

function labelText(executor: Executor): string {
  return Object.entries(executor.labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
