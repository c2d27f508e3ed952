import { useMutation } from '@connectrpc/connect-query';
import { type SyntheticEvent, useState } from 'react';
import type { Session } from '../../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Dialog } from '../../parts/dialog.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useRequestId } from '../../stream/use-request-id.ts';
import { ActivationList } from './activation-list.tsx';
import { useFailedSession } from './failed-session.ts';
import { type Choice, StrategyChoices, symbolsOf } from './strategy-choice.tsx';

/** Adds a strategy on symbols to a session that runs; the answer is awaited and shown. */
export function ActivateStrategy({ session }: { readonly session: Session }) {
  const [open, setOpen] = useState(false);
  const [choice, setChoice] = useState<Choice>({ strategy: '', symbols: '' });
  const activate = useMutation(SessionService.method.activateStrategy, { onSuccess: () => setOpen(false) });
  const requestIdOf = useRequestId();
  const failed = useFailedSession(activate.error);
  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const body = { id: session.id, selection: { strategy: choice.strategy, symbols: symbolsOf(choice.symbols) } };
    activate.mutate({ ...body, requestId: requestIdOf(JSON.stringify(body), activate) });
  };
  return (
    <>
      <button type="button" className="button" onClick={() => setOpen(true)}>
        Activate a strategy
      </button>
      {open && (
        <Dialog title="Activate a strategy" onClose={() => setOpen(false)} wide>
          <form className="form" onSubmit={submit}>
            <StrategyChoices choices={[choice]} onChange={([first]) => setChoice(first ?? choice)} single />
            <div className="actions">
              <button type="submit" className="button primary" disabled={activate.isPending}>
                {activate.isPending ? 'Activating …' : 'Activate'}
              </button>
              <button type="button" className="button" onClick={() => setOpen(false)}>
                Leave
              </button>
            </div>
            <Problem
              error={activate.error}
              what="Not activated"
              unconfirmed="No answer says whether it runs. Press again until one does: it is activated once"
            />
            {activate.isPending && <ActivationList activations={session.activations} />}
            {failed !== undefined && <ActivationList activations={failed.activations} />}
          </form>
        </Dialog>
      )}
    </>
  );
}
