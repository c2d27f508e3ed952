import { useQuery } from '@connectrpc/connect-query';
import {
  CommandService,
  type ExplainCommandResponse,
} from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandState, Lane } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { kindOf } from '../../parts/command-kind.ts';
import { CommandMark, isTerminal } from '../../parts/command-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Hops } from '../../parts/hops.tsx';
import { MessageFacts } from '../../parts/message-facts.tsx';
import { When } from '../../parts/moment.tsx';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { CancelCommand, RetryCommand } from './command-actions.tsx';
import { SettleCommand } from './settle-command.tsx';
import { Timeline } from './timeline.tsx';

/** What moves is looked at again this often; the sentence counts down by itself. */
const MOVING_MS = 1_000;
/** A late answer, or an operator, may still settle an unknown outcome. */
const UNKNOWN_MS = 10_000;

/** One command: where it is and why, what was asked, what came of it. */
export function CommandPage({ id }: { readonly id: string }) {
  const explained = useQuery(
    CommandService.method.explainCommand,
    { id },
    {
      refetchInterval: ({ state: { data } }) => {
        const state = data?.command?.state ?? CommandState.UNSPECIFIED;
        if (state === CommandState.OUTCOME_UNKNOWN) return UNKNOWN_MS;
        return isTerminal(state) ? false : MOVING_MS;
      },
    },
  );
  const { data } = explained;
  if (data?.command === undefined) {
    return (
      <Page title="Command">
        <Problem error={explained.error} what="The command cannot be read" />
        {explained.error === null && <Nothing>Loading …</Nothing>}
      </Page>
    );
  }
  return <Known command={data.command} explained={data} />;
}

function Known({ command, explained }: { readonly command: Command; readonly explained: ExplainCommandResponse }) {
  const { error, result } = command;
  return (
    <Page
      title={`${kindOf(command)} to ${command.executorName}`}
      lead={<CommandMark state={command.state} />}
      actions={
        <Allowed role={Role.OPERATOR}>
          {!isTerminal(command.state) && <CancelCommand command={command} />}
          {command.state === CommandState.OUTCOME_UNKNOWN && <SettleCommand command={command} />}
          {isTerminal(command.state) && command.state !== CommandState.SUCCEEDED && <RetryCommand command={command} />}
        </Allowed>
      }
    >
      <div className="stack">
        <p className="sentence" aria-live="polite">
          {explained.sentence}
        </p>
        {explained.blockingCommandIds.length > 0 && (
          <p>
            In front of it:{' '}
            {explained.blockingCommandIds.map((each) => (
              <Link key={each} href={`/commands/${each}`} className="mono">
                {each}{' '}
              </Link>
            ))}
          </p>
        )}
        <Panel title="Way">
          <Hops command={command} />
        </Panel>
        <div className="columns">
          <Panel title="Timeline" className="half">
            <Timeline steps={explained.timeline} open={!isTerminal(command.state)} />
          </Panel>
          <div className="stack half">
            <Panel title="Parameters">
              {command.kind.value === undefined ? (
                <Nothing>None.</Nothing>
              ) : (
                <MessageFacts message={command.kind.value} />
              )}
            </Panel>
            {error !== undefined && (
              <Panel title="Error">
                <Facts
                  rows={[
                    ['What happened', error.message],
                    ['Where', error.hop],
                    ['May pass', error.retryable ? 'yes' : 'no'],
                    ...Object.entries(error.metadata),
                  ]}
                />
              </Panel>
            )}
            {result !== undefined && (
              <Panel title="Result">
                <MessageFacts message={result} />
              </Panel>
            )}
            <Panel title="About">
              <Facts rows={aboutFacts(command)} />
            </Panel>
          </div>
        </div>
      </div>
    </Page>
  );
}

function aboutFacts(command: Command): (readonly [string, React.ReactNode])[] {
  const { deadlines } = command;
  return [
    [
      'Executor',
      <Link key="executor" href={`/executors/${encodeURIComponent(command.executorName)}`}>
        {command.executorName}
      </Link>,
    ],
    ['Attempt', `${command.attempt} of at most ${command.attemptsMax}`],
    ['Lane', (Lane[command.lane] ?? '').toLowerCase()],
    ['Ordering key', command.orderingKey],
    ['Settled by operator', command.settledBy],
    ['Note', command.note],
    ['Created', <When key="created" time={command.createTime} />],
    ['Deliver by', <When key="deliver" time={deadlines?.deliverBy} />],
    ['Finish by', <When key="finish" time={deadlines?.finishBy} />],
    ['Never start after', deadlines?.notAfter === undefined ? '' : <When key="after" time={deadlines.notAfter} />],
    [
      'Repeats',
      command.retryOf === '' ? (
        ''
      ) : (
        <Link key="retry" href={`/commands/${command.retryOf}`} className="mono">
          {command.retryOf}
        </Link>
      ),
    ],
    ['Request id', <code key="request">{command.requestId}</code>],
    ['Id', <code key="id">{command.id}</code>],
  ];
}
