import { toJsonString } from '@bufbuild/protobuf';
import { useState } from 'react';
import { type Credentials, CredentialsSchema } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';

/** A credential, shown this once. */
export function CredentialsOnce({ credentials }: { readonly credentials: Credentials }) {
  const [copied, setCopied] = useState('');
  const text = toJsonString(CredentialsSchema, credentials, { prettySpaces: 2 });
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied('Copied.'),
      () => setCopied('The browser refused; select the text and copy it.'),
    );
  };
  const download = (): void => {
    const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${credentials.executorName}.credentials.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <div className="stack">
      <p>
        <strong>This is shown once and kept nowhere.</strong> Save it on the agent's machine with mode 0600, then start
        the agent there:
      </p>
      <pre className="block">npx strategos executor run --credentials {credentials.executorName}.credentials.json</pre>
      <pre className="block" aria-label="Credentials">
        {text}
      </pre>
      <div className="row">
        <button type="button" className="button primary" onClick={download}>
          Download
        </button>
        <button type="button" className="button" onClick={copy}>
          Copy
        </button>
        <span role="status" className="quiet">
          {copied}
        </span>
      </div>
    </div>
  );
}
