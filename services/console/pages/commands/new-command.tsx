import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { useMutation } from '@connectrpc/connect-query';
import { type SyntheticEvent, useRef, useState } from 'react';
import {
  CommandService,
  IssueCommandRequestSchema,
} from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { navigate } from '../../address/address.ts';
import { KIND_FIELDS, KINDS } from '../../parts/command-kind.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { MessageForm } from '../../parts/message-form.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useExecutorNames } from '../../stream/use-executor-names.ts';

/** Asked for apart from the rest: whom, what, and the key that makes a repeated press harmless. */
const NOT_OPTIONS = ['executor', 'request_id', ...KINDS];

/** Sends a command of any kind that the proto knows. */
export function NewCommand({ executor: first, onClose }: { readonly executor: string; readonly onClose: () => void }) {
  const names = useExecutorNames();
  const [chosen, setChosen] = useState(first);
  const [kind, setKind] = useState('ping');
  const [parameters, setParameters] = useState<JsonObject>({});
  const [options, setOptions] = useState<JsonObject>({});
  const [fault, setFault] = useState<unknown>(null);
  const requestId = useRef({ body: '', id: '' });
  const executor = chosen === '' ? (names[0] ?? '') : chosen;
  const issue = useMutation(CommandService.method.issueCommand, {
    onSuccess: ({ command }) => {
      onClose();
      if (command !== undefined) navigate(`/commands/${command.id}`);
    },
  });
  const schema = KIND_FIELDS.find(({ name }) => name === kind);

  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setFault(null);
    const body = { executor, ...options, [kind]: parameters };
    const text = JSON.stringify(body);
    // The same body pressed twice is one command, another body is another.
    if (requestId.current.body !== text) requestId.current = { body: text, id: crypto.randomUUID() };
    try {
      issue.mutate(fromJson(IssueCommandRequestSchema, { ...body, request_id: requestId.current.id }));
    } catch (thrown) {
      setFault(thrown);
    }
  };

  return (
    <Dialog title="New command" onClose={onClose} wide>
      <form className="form" onSubmit={submit}>
        <div className="fields">
          <div className="field">
            <label htmlFor="new-executor">executor</label>
            <select id="new-executor" value={executor} onChange={(event) => setChosen(event.target.value)} required>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
          <div className="field">
            <label htmlFor="new-kind">kind</label>
            <select
              id="new-kind"
              value={kind}
              onChange={(event) => {
                setKind(event.target.value);
                setParameters({});
              }}
            >
              {KINDS.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </div>
        </div>
        <fieldset>
          <legend>{kind}</legend>
          {schema?.fieldKind === 'message' && (
            <MessageForm schema={schema.message} value={parameters} onChange={setParameters} />
          )}
        </fieldset>
        <details>
          <summary>Deadlines, preconditions and more</summary>
          <MessageForm
            schema={IssueCommandRequestSchema}
            value={options}
            onChange={setOptions}
            leaveOut={NOT_OPTIONS}
          />
        </details>
        <Problem
          error={fault ?? issue.error}
          what="Not sent"
          unconfirmed="No answer says whether it is stored. Press again until one does: it stays one command"
        />
        <div className="actions">
          <button type="submit" className="button primary" disabled={issue.isPending || executor === ''}>
            Send {kind}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Leave
          </button>
        </div>
      </form>
    </Dialog>
  );
}
