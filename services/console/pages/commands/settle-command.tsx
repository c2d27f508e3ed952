import { useMutation } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import type { Command } from '../../../../proto/gen/strategos/command/v1/command_pb.js';
import { CommandService, SettledOutcome } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { kindOf } from '../../parts/command-kind.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { emptyFill, type Fill, FillRows, sideOf } from './fill-rows.tsx';

/** Kinds that may have dealt at the venue. */
const DEALING: ReadonlySet<Command['kind']['case']> = new Set([
  'openPosition',
  'closePosition',
  'stopStrategy',
  'stopSession',
  'stopAll',
]);
const NOTE_MAX = 500;
const CONSEQUENCE: Readonly<Record<SettledOutcome, string>> = {
  [SettledOutcome.UNSPECIFIED]: '',
  [SettledOutcome.HAPPENED]: 'A session books the fills that you give.',
  [SettledOutcome.DID_NOT_HAPPEN]: 'A session takes it as failed, and it may be repeated.',
};

/** Takes an operator's word for what became of a command whose outcome nobody knows, after telling what the word brings about. */
export function SettleCommand({ command }: { readonly command: Command }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button primary" onClick={() => setOpen(true)}>
        Settle …
      </button>
      {open && <SettleDialog command={command} onClose={() => setOpen(false)} />}
    </>
  );
}

function outcomeOf(text: string): SettledOutcome {
  const known = [SettledOutcome.HAPPENED, SettledOutcome.DID_NOT_HAPPEN].find((each) => String(each) === text);
  return known ?? SettledOutcome.UNSPECIFIED;
}

function SettleDialog({ command, onClose }: { readonly command: Command; readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [outcome, setOutcome] = useState(SettledOutcome.UNSPECIFIED);
  const [note, setNote] = useState('');
  const [fills, setFills] = useState<readonly Fill[]>(() =>
    command.kind.case === 'openPosition' ? [emptyFill(command)] : [],
  );
  const settle = useMutation(CommandService.method.settleCommand, {
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries();
    },
  });
  const happened = outcome === SettledOutcome.HAPPENED;
  const dealing = happened && DEALING.has(command.kind.case);

  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const told = dealing ? fills.map((fill) => ({ ...fill, side: sideOf(fill) })) : [];
    settle.mutate({ id: command.id, outcome, note: note.trim(), fills: told });
  };

  return (
    <Dialog title={`Settle ${kindOf(command)} to ${command.executorName}`} onClose={onClose} wide>
      <form className="form" onSubmit={submit}>
        <p>
          Nobody knows what became of it. Look at the venue first: its orders, its fills and its positions. What you say
          is final: nothing is sent to the agent, and an answer of it that comes later changes nothing.
        </p>
        <div className="field">
          <label htmlFor="settle-outcome">What the venue shows</label>
          <select
            id="settle-outcome"
            required
            value={outcome}
            onChange={(event) => setOutcome(outcomeOf(event.target.value))}
          >
            <option value={SettledOutcome.UNSPECIFIED}>choose …</option>
            <option value={SettledOutcome.HAPPENED}>its effect: it becomes SUCCEEDED</option>
            <option value={SettledOutcome.DID_NOT_HAPPEN}>no effect, and none on its way: it becomes FAILED</option>
          </select>
          <span className="help">{CONSEQUENCE[outcome]}</span>
        </div>
        {dealing && <FillRows command={command} fills={fills} onChange={setFills} />}
        <div className="field">
          <label htmlFor="settle-note">What was seen there, for the history</label>
          <input
            id="settle-note"
            required
            maxLength={NOTE_MAX}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        </div>
        <Problem
          error={settle.error}
          what="Not settled"
          unconfirmed="No answer says whether it is settled. Press again: the same word stays one"
        />
        <div className="actions">
          <button
            type="submit"
            className="button danger"
            disabled={settle.isPending || outcome === SettledOutcome.UNSPECIFIED || note.trim() === ''}
          >
            {outcome === SettledOutcome.UNSPECIFIED ? 'Settle' : `Settle as ${happened ? 'succeeded' : 'failed'}`}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave
          </button>
        </div>
      </form>
    </Dialog>
  );
}
