import { useQuery } from '@connectrpc/connect-query';
import { createContext, type ReactNode, use, useSyncExternalStore } from 'react';
import { AccessService, Role, type Token } from '../../../proto/gen/strategos/access/v1/access_service_pb.js';
import { Problem } from '../parts/problem.tsx';
import { onToken, readToken } from './token.ts';
import { SignIn } from './sign-in.tsx';

const IdentityContext = createContext<Token | undefined>(undefined);

/** The token that is signed in. */
export function useIdentity(): Token {
  const token = use(IdentityContext);
  if (token === undefined) throw new Error('nobody is signed in here');
  return token;
}

/** Whether the token may call RPCs that ask for `role`: what it may not do is not shown. */
export function useMay(role: Role): boolean {
  return useIdentity().role >= role;
}

/** Shows `children` when the token's role suffices. */
export function Allowed({ role, children }: { readonly role: Role; readonly children: ReactNode }) {
  return useMay(role) ? children : null;
}

export { Role };

/** Asks for a token until there is one that the gateway knows, then shows `children`. */
export function SignedIn({ children }: { readonly children: ReactNode }) {
  const bearer = useSyncExternalStore(onToken, readToken);
  if (bearer === '') return <SignIn />;
  return <Known key={bearer}>{children}</Known>;
}

function Known({ children }: { readonly children: ReactNode }) {
  const { data, error } = useQuery(AccessService.method.whoAmI, {}, { staleTime: Number.POSITIVE_INFINITY });
  if (data?.token !== undefined) return <IdentityContext value={data.token}>{children}</IdentityContext>;
  return (
    <main className="alone">
      {error === null ? (
        <p role="status">Signing in …</p>
      ) : (
        <Problem error={error} what="The gateway cannot be reached" />
      )}
    </main>
  );
}
