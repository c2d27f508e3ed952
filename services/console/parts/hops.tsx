import type { Command } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandState } from '../../../proto/gen/strategos/command/v1/command_pb.js';
import { commandStateText, isTerminal } from './command-state.tsx';
import { msOf, spanText } from './time.ts';

interface Hop {
  readonly name: string;
  readonly atMs: number | undefined;
}

/** The way of a command to its executor and back: what each hop took, and where it is now. */
export function Hops({ command }: { readonly command: Command }) {
  const hops: readonly Hop[] = [
    { name: 'stored', atMs: msOf(command.createTime) },
    { name: 'written to the stream', atMs: msOf(command.sentTime) },
    { name: "in the agent's journal", atMs: msOf(command.receivedTime) },
    { name: 'started', atMs: msOf(command.startTime) },
    { name: isTerminal(command.state) ? commandStateText(command.state) : 'finished', atMs: msOf(command.finishTime) },
  ];
  const reached = hops.map(({ atMs }) => atMs !== undefined);
  const here = isTerminal(command.state) ? -1 : reached.indexOf(false);
  const failed = isTerminal(command.state) && command.state !== CommandState.SUCCEEDED;
  return (
    <ol className="hops" aria-label="Hops">
      {hops.map((hop, index) => {
        const last = index === hops.length - 1;
        const look = reached[index] ? (last && failed ? 'failed' : 'done') : index === here ? 'here' : '';
        return (
          <li key={hop.name} className={look}>
            <p className="name">{hop.name}</p>
            <p className="took">{tookText(hops, index, index === here)}</p>
          </li>
        );
      })}
    </ol>
  );
}

/** Time since the hop before it that was reached. */
function tookText(hops: readonly Hop[], index: number, isHere: boolean): string {
  const at = hops[index]?.atMs;
  if (at === undefined) return isHere ? 'waiting' : '–';
  if (index === 0) return 'accepted';
  const before = hops.slice(0, index).findLast(({ atMs }) => atMs !== undefined)?.atMs;
  return before === undefined ? '–' : `+${spanText(Math.max(0, at - before))}`;
}
