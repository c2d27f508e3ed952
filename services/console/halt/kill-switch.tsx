import { useQuery } from '@connectrpc/connect-query';
import { skipToken, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import type { Halt } from '../../../proto/gen/strategos/session/v1/session_pb.js';
import { SessionService } from '../../../proto/gen/strategos/session/v1/session_service_pb.js';
import { Dialog } from '../parts/dialog.tsx';
import { Acknowledgements } from './acknowledgements.tsx';
import { PullKillSwitch } from './pull-kill-switch.tsx';

const LOOK_MS = 500;
const EXECUTORS_LOOK_MS = 2_000;
const EXECUTORS_MAX = 1_000;

/** The button that opens the kill switch; on every page, for whoever may pull it. */
export function KillSwitch() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button danger kill-switch" onClick={() => setOpen(true)}>
        Kill switch …
      </button>
      {open && <KillSwitchDialog onClose={() => setOpen(false)} />}
    </>
  );
}

/** Says what it will do and to whom, does it, and shows who has confirmed. */
function KillSwitchDialog({ onClose }: { readonly onClose: () => void }) {
  const [pulled, setPulled] = useState<Halt>();
  const queries = useQueryClient();
  const onPulled = (halt: Halt): void => {
    setPulled(halt);
    // Every page shows something that it changes, and says at once that it is under way.
    void queries.invalidateQueries();
  };
  const executors = useQuery(
    ExecutorService.method.listExecutors,
    pulled === undefined ? { pageSize: EXECUTORS_MAX } : skipToken,
    { refetchInterval: EXECUTORS_LOOK_MS },
  ).data;
  return (
    <Dialog title="Kill switch" onClose={onClose} wide>
      {pulled === undefined ? (
        <PullKillSwitch
          executors={executors?.executors}
          complete={executors?.nextPageToken === ''}
          onPulled={onPulled}
          leave={
            <button type="button" className="button" onClick={onClose}>
              Leave
            </button>
          }
        />
      ) : (
        <Pulled first={pulled} />
      )}
    </Dialog>
  );
}

function Pulled({ first }: { readonly first: Halt }) {
  const { data, failureCount } = useQuery(
    SessionService.method.getHalt,
    { id: first.id },
    { refetchInterval: (query) => (query.state.data?.halt?.over === true ? false : LOOK_MS) },
  );
  const halt = data?.halt ?? first;
  return (
    <div className="stack">
      <p role="status">
        <strong>{standOf(halt)}</strong>{' '}
        {halt.over ? '' : 'Executors that are away apply it before anything else when they return.'}{' '}
        {failureCount > 0 &&
          !halt.over &&
          'The gateway does not answer; the stop goes on, and what is shown may be old.'}
      </p>
      <Acknowledgements halt={halt} />
      <p className="quiet">
        Every page says that it is under way, and the overview shows who has confirmed, also when this is closed.
      </p>
    </div>
  );
}

function standOf({ complete, over }: Halt): string {
  if (complete) return 'Everybody has confirmed.';
  return over ? 'It is over, and not everybody has confirmed.' : 'The stop is stored and on its way.';
}
