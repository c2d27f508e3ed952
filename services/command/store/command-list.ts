import type { Pool } from 'pg';
import { type CommandState, OPEN_STATES } from '../domain/command.ts';
import type { CommandPage } from '../domain/command-reader.ts';
import type { CommandFilter } from '../domain/repository.ts';
import { type CommandRow, readCommandRows } from './command-row.ts';
import { run } from './command-store.ts';
import { listCommands, listOpenCommands, searchCommands } from './list-statements.ts';

/** A search for something rare looks through so many rows a statement, and so many statements a page. */
const ROWS_PER_LOOK = 20_000;
const LOOKS_PER_PAGE = 25;

type SearchRow = CommandRow & { readonly floor_id: string | null };

interface PageBounds {
  readonly belowId: string;
  readonly commandsMax: number;
}

/**
 * One page, newest first. A search that finds little ends its page early rather than run for ever: the page is then short,
 * or empty, and says where to go on.
 */
export function readCommandPage(
  pool: Pool,
  accountId: string,
  filter: CommandFilter,
  bounds: PageBounds,
): Promise<CommandPage> {
  const filtered = filter.executorId !== undefined || given(filter.states) !== null || given(filter.kinds) !== null;
  if (!filtered) return readAll(pool, accountId, bounds);
  return openOnly(filter.states) ? readOpen(pool, accountId, filter, bounds) : search(pool, accountId, filter, bounds);
}

async function readAll(pool: Pool, accountId: string, { belowId, commandsMax }: PageBounds): Promise<CommandPage> {
  return pageOf(await run(pool, listCommands, [accountId, belowId, commandsMax + 1]), commandsMax, null);
}

async function readOpen(
  pool: Pool,
  accountId: string,
  { executorId, states, kinds }: CommandFilter,
  { belowId, commandsMax }: PageBounds,
): Promise<CommandPage> {
  const values = [accountId, executorId ?? null, belowId, given(states), given(kinds), commandsMax + 1];
  return pageOf(await run(pool, listOpenCommands, values), commandsMax, null);
}

async function search(
  pool: Pool,
  accountId: string,
  { executorId, states, kinds }: CommandFilter,
  { belowId, commandsMax }: PageBounds,
): Promise<CommandPage> {
  const found: CommandRow[] = [];
  let below = belowId;
  for (let look = 0; look < LOOKS_PER_PAGE; look++) {
    const missing = commandsMax + 1 - found.length;
    const values = [accountId, executorId ?? null, below, given(states), given(kinds), missing, ROWS_PER_LOOK];
    const rows = await run<SearchRow>(pool, searchCommands, values);
    found.push(...rows.filter((row) => row['id'] !== null));
    const floor = rows[0]?.floor_id ?? null;
    if (found.length > commandsMax || floor === null) return pageOf(found, commandsMax, null);
    below = floor;
  }
  return pageOf(found, commandsMax, below);
}

/**
 * `rows` hold one more than the page where there is another. `restBelow` is where to go on when they do not, null when this
 * is the end. A row that cannot be read is left out and ends no list: the quarantine shows it.
 */
function pageOf(rows: readonly CommandRow[], commandsMax: number, restBelow: string | null): CommandPage {
  const shown = rows.slice(0, commandsMax);
  const nextId = rows.length > commandsMax ? String(shown.at(-1)?.['id']) : restBelow;
  return { commands: readCommandRows(shown).commands, nextId };
}

function openOnly(states: readonly CommandState[] | undefined): boolean {
  const open: readonly string[] = OPEN_STATES;
  return states !== undefined && states.length > 0 && states.every((state) => open.includes(state));
}

function given<T>(values: readonly T[] | undefined): readonly T[] | null {
  return values === undefined || values.length === 0 ? null : values;
}
