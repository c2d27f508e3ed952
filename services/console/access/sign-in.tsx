import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { type SyntheticEvent, useState } from 'react';
import { AccessService } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { Logo } from '../parts/logo.tsx';
import { keepToken } from './token.ts';
import { transport, whySignedOut } from './transport.ts';

const access = createClient(AccessService, transport);

/** Takes a token, tries it, and keeps it for this tab. */
export function SignIn() {
  const [fault, setFault] = useState(whySignedOut());
  const [trying, setTrying] = useState(false);

  const submit = (event: SyntheticEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('token');
    const token = typeof typed === 'string' ? typed.trim() : '';
    if (token === '') return;
    setTrying(true);
    access
      .whoAmI({}, { headers: { authorization: `Bearer ${token}` } })
      .then(() => keepToken(token))
      .catch((thrown: unknown) => {
        const error = ConnectError.from(thrown);
        const known = error.code === Code.Unauthenticated;
        setFault(known ? error.rawMessage : `The gateway did not answer: ${error.rawMessage}`);
        setTrying(false);
      });
  };

  return (
    <main className="alone">
      <form className="sign-in" onSubmit={submit}>
        <h1>
          <Logo /> Strategos
        </h1>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          aria-describedby="token-help"
          aria-invalid={fault !== ''}
        />
        <p id="token-help" className="quiet">
          After <code>npm start</code> the founding token is in <code>.strategos/token</code>. More are made with{' '}
          <code>npx strategos token create</code>. It is kept for this tab alone.
        </p>
        <p role="alert" className="fault">
          {fault}
        </p>
        <button type="submit" className="button primary" disabled={trying}>
          Sign in
        </button>
      </form>
    </main>
  );
}
