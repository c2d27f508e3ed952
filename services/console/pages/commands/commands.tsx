import { useMemo, useState, useSyncExternalStore } from 'react';
import { CommandState } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { useQueryFields } from '../../address/address.ts';
import { COMMAND_STATES } from '../../parts/command-state.tsx';
import { Page } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { CommandFeed } from '../../stream/command-feed.ts';
import { CommandFilters } from './command-filters.tsx';
import { CommandPage } from './command-page.tsx';
import { CommandTable } from './command-table.tsx';
import { NewCommand } from './new-command.tsx';

/** /commands: all of them, live; /commands/ID: one. */
export default function Commands({ rest }: { readonly rest: readonly string[] }) {
  const [id] = rest;
  return id === undefined ? <CommandList /> : <CommandPage key={id} id={id} />;
}

function CommandList() {
  const [fields, setFields] = useQueryFields();
  const [sending, setSending] = useState(false);
  const executor = fields.get('executor') ?? '';
  const state = fields.get('state') ?? '';
  const kind = fields.get('kind') ?? '';
  const feed = useMemo(
    () => new CommandFeed({ executor, states: statesOf(state), kinds: listOf(kind) }),
    [executor, state, kind],
  );
  const list = useSyncExternalStore(feed.subscribe, feed.read);
  return (
    <Page
      title="Commands"
      lead="Everything that was asked of the executors, as it happens."
      actions={
        <Allowed role={Role.OPERATOR}>
          <button type="button" className="button primary" onClick={() => setSending(true)}>
            New command
          </button>
        </Allowed>
      }
    >
      {sending && <NewCommand executor={executor} onClose={() => setSending(false)} />}
      <section className="panel" aria-label="Commands">
        <CommandFilters executor={executor} states={listOf(state)} kinds={listOf(kind)} onChange={setFields} />
        <Problem error={list.error} what="The list cannot be read" />
        <CommandTable list={list} onEnd={feed.loadMore} />
      </section>
    </Page>
  );
}

function listOf(text: string): readonly string[] {
  return text.split(',').filter((part) => part !== '');
}

/** Names as in the proto, without their prefix; ones that nobody knows match nothing and are left out. */
function statesOf(text: string): readonly CommandState[] {
  const names = new Set(listOf(text).map((name) => name.toUpperCase()));
  return COMMAND_STATES.filter((state) => names.has(CommandState[state] ?? ''));
}
