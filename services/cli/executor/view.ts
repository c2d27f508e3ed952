import colors from 'picocolors';
import {
  type Executor,
  ExecutorState,
  LinkKind,
  type Refusal,
} from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { ErrorReason } from '../../../proto/gen/strategos/errors/v1/error_reason_pb.js';
import { formatDuration } from '../terminal/duration.ts';
import type { Output } from '../terminal/output.ts';
import { formatAge, formatTime } from '../terminal/time.ts';

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
    presenceText(executor),
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

/** The state, and whether a refusal is why it is so. */
function presenceText({ state, lastRefusal }: Executor): string {
  const text = executorStateText(state);
  if (lastRefusal?.current !== true || state === ExecutorState.DISABLED) return text;
  return `${text}, ${colors.red('refused')}`;
}

/** Who called when and was refused, and why. */
export function refusalText({ time, sinceTime, message, reason, host, agentVersion, ...rest }: Refusal): string {
  const who = rest.credentialProven ? 'an agent with its credential' : 'somebody with its key';
  const said = [agentVersion === '' ? '' : `version ${agentVersion}`, host === '' ? '' : `on ${host}`].filter(
    (part) => part !== '',
  );
  const build = said.length === 0 ? '' : ` (${said.join(' ')})`;
  const when = `since ${formatTime(sinceTime)}, last at ${formatTime(time)}`;
  return `${who}${build} is refused ${when}: ${message} (${ErrorReason[reason] ?? reason})`;
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
    ['last refusal', executor.lastRefusal === undefined ? undefined : refusalText(executor.lastRefusal)],
    ['to do', executor.lastRefusal?.current === true ? executor.lastRefusal.remedy : undefined],
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
