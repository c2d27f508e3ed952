import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef } from 'react';
import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { Link } from '../../address/link.tsx';
import { kindOf, subjectOf } from '../../parts/command-kind.ts';
import { CommandMark } from '../../parts/command-state.tsx';
import { lineTimeText, msOf, spanText, useToday } from '../../parts/time.ts';
import type { CommandRows } from '../../stream/command-feed.ts';

const LINE_PX = 36;
const OVERSCAN = 12;
/** Lines from the end at which the next page is asked for. */
const AHEAD = 60;

/** The list; only the lines in sight are in the document, so its length costs nothing. */
export function CommandTable({ list, onEnd }: { readonly list: CommandRows; readonly onEnd: () => void }) {
  const { rows, loading, more } = list;
  const today = useToday();
  const viewport = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => LINE_PX,
    overscan: OVERSCAN,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const lines = virtual.getVirtualItems();
  const last = lines.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && !loading && last >= rows.length - AHEAD) onEnd();
  }, [last, rows.length, more, loading, onEnd]);
  return (
    <>
      <div
        className="live-table"
        role="table"
        aria-label="Commands"
        aria-rowcount={rows.length + 1}
        aria-busy={loading}
      >
        <div role="rowgroup">
          <div className="head" role="row" aria-rowindex={1}>
            <span role="columnheader">Created</span>
            <span role="columnheader">State</span>
            <span role="columnheader">Kind</span>
            <span role="columnheader" className="late">
              Executor
            </span>
            <span role="columnheader" className="late">
              About
            </span>
            <span role="columnheader" className="late">
              Attempt
            </span>
            <span role="columnheader" className="late">
              Took
            </span>
          </div>
        </div>
        <div ref={viewport} className="viewport" role="rowgroup" tabIndex={0} aria-label="Lines">
          <div className="canvas" role="presentation" style={{ height: virtual.getTotalSize() }}>
            {lines.map(({ key, index, start }) => {
              const command = rows[index];
              return command === undefined ? null : (
                <div
                  key={key}
                  className="line"
                  role="row"
                  aria-rowindex={index + 2}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <Cells command={command} today={today} />
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <p className="nothing" role="status">
        {standOf(list)}
      </p>
    </>
  );
}

/** How much of the list is shown; an empty one is told only when it was read. */
function standOf({ rows, loading, more, cut, error }: CommandRows): string {
  if (rows.length === 0) return loading ? 'Loading …' : error === null ? 'No command matches.' : '';
  if (cut) return `the newest ${rows.length} shown; narrow the list to see older ones`;
  return `${rows.length} shown${more ? ', older ones as you scroll' : ''}${loading ? ' · loading …' : ''}`;
}

const Cells = memo(function Cells({ command, today }: { readonly command: Command; readonly today: number }) {
  const created = msOf(command.createTime);
  const finished = msOf(command.finishTime);
  const problem = command.error?.message ?? '';
  return (
    <>
      <span role="cell">{created === undefined ? '' : lineTimeText(created, today)}</span>
      <span role="cell">
        <CommandMark state={command.state} />
      </span>
      <span role="cell">
        <Link href={`/commands/${command.id}`}>{kindOf(command)}</Link>
      </span>
      <span role="cell" className="late">
        {command.executorName}
      </span>
      <span role="cell" className="late quiet" title={problem}>
        {problem === '' ? subjectOf(command) : problem}
      </span>
      <span role="cell" className="late">
        {command.attempt} of {command.attemptsMax}
      </span>
      <span role="cell" className="late">
        {created === undefined || finished === undefined ? '' : spanText(Math.max(0, finished - created))}
      </span>
    </>
  );
});
