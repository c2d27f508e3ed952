import { type ChangeEvent, useState } from 'react';
import { Panel } from '../../parts/page.tsx';
import { draftOf, textOf } from './draft.ts';
import type { Editing } from './use-editing.ts';

/** The JSON form as text: what is typed here is what the builder shows, and the other way round. */
export function JsonView({
  editing: { draft, setDraft, unread, setUnread },
  readOnly,
}: {
  readonly editing: Editing;
  readonly readOnly: boolean;
}) {
  const [typed, setTyped] = useState(() => unread?.text ?? textOf(draft));
  const [fileFault, setFileFault] = useState('');
  const fault = unread?.fault ?? fileFault;
  const take = (text: string): void => {
    setTyped(text);
    setFileFault('');
    try {
      setDraft(draftOf(text));
    } catch (thrown) {
      setUnread({ text, fault: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  };
  const load = (event: ChangeEvent<HTMLInputElement>): void => {
    const [file] = event.target.files ?? [];
    if (file !== undefined) file.text().then(take, () => setFileFault('the file cannot be read'));
  };
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([`${textOf(draft)}\n`], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${typeof draft['strategy_name'] === 'string' ? draft['strategy_name'] : 'strategy'}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Panel title="JSON">
      <div className="body form">
        <label htmlFor="json">The strategy in the JSON form; names in snake_case and camelCase are both read</label>
        <textarea
          id="json"
          rows={28}
          spellCheck={false}
          readOnly={readOnly}
          value={typed}
          aria-invalid={fault !== ''}
          onChange={(event) => take(event.target.value)}
        />
        <p role="status" className="fault">
          {fault !== '' && `Not taken over: ${fault}`}
        </p>
        <div className="row">
          {!readOnly && (
            <>
              <label htmlFor="json-file">From a file</label>
              <input
                id="json-file"
                type="file"
                accept="application/json,.json"
                onChange={load}
                style={{ width: 'auto' }}
              />
            </>
          )}
          <button type="button" className="button small" onClick={save}>
            Save as file
          </button>
        </div>
      </div>
    </Panel>
  );
}
