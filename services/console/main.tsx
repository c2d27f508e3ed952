import { Code, ConnectError } from '@connectrpc/connect';
import { TransportProvider } from '@connectrpc/connect-query';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { SignedIn } from './access/identity.tsx';
import { onToken } from './access/token.ts';
import { transport } from './access/transport.ts';
import { App } from './app.tsx';
import { applyTheme } from './parts/theme.tsx';
import { backoffMs } from './stream/backoff.ts';
import { afterResumption } from './stream/link-state.ts';
import './style/console.css';

const RETRIES_MAX = 6;
/** A browser that reaches nothing says Unknown. */
const MAY_PASS: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Unknown]);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always',
      retry: (failures, thrown) => failures < RETRIES_MAX && MAY_PASS.has(ConnectError.from(thrown).code),
      retryDelay: (failures) => backoffMs(failures + 1),
    },
    mutations: { networkMode: 'always' },
  },
});
onToken(() => queries.clear());
afterResumption(() => void queries.invalidateQueries());
applyTheme();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element "root"');
createRoot(root).render(
  <StrictMode>
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queries}>
        <SignedIn>
          <App />
        </SignedIn>
      </QueryClientProvider>
    </TransportProvider>
  </StrictMode>,
);
