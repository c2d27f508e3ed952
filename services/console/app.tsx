import { type ComponentType, lazy, Suspense } from 'react';
import { usePath } from './address/address.ts';
import { Link } from './address/link.tsx';
import { Allowed, useIdentity, Role } from './access/identity.tsx';
import { keepToken } from './access/token.ts';
import { HaltNotice } from './halt/halt-notice.tsx';
import { KillSwitch } from './halt/kill-switch.tsx';
import { LinkNotice } from './parts/link-notice.tsx';
import { Logo } from './parts/logo.tsx';
import { Nothing, Page } from './parts/page.tsx';
import { ThemeSwitch } from './parts/theme.tsx';

interface PageProps {
  /** What follows the page's own part of the address. */
  readonly rest: readonly string[];
}

/** The pages by the first part of their address. */
const PAGES: readonly { readonly path: string; readonly name: string; readonly page: ComponentType<PageProps> }[] = [
  { path: '', name: 'Overview', page: lazy(() => import('./pages/overview/overview.tsx')) },
  { path: 'commands', name: 'Commands', page: lazy(() => import('./pages/commands/commands.tsx')) },
  { path: 'executors', name: 'Executors', page: lazy(() => import('./pages/executors/executors.tsx')) },
  { path: 'strategies', name: 'Strategies', page: lazy(() => import('./pages/strategies/strategies.tsx')) },
  { path: 'sessions', name: 'Sessions', page: lazy(() => import('./pages/sessions/sessions.tsx')) },
];

/** The frame around every page. */
export function App() {
  const [first = '', ...rest] = usePath();
  const Shown = PAGES.find(({ path }) => path === first)?.page;
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <aside className="side">
        <Link href="/" className="brand">
          <Logo /> Strategos
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(({ path, name }) => (
            <Link key={path} href={`/${path}`} aria-current={path === first ? 'page' : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        <Allowed role={Role.OPERATOR}>
          <KillSwitch />
        </Allowed>
        <Identity />
      </aside>
      <main id="content" tabIndex={-1}>
        <LinkNotice />
        <HaltNotice onOverview={first === ''} />
        <Suspense fallback={<p role="status">Loading …</p>}>
          {Shown === undefined ? (
            <Page title="Not found">
              <Nothing>There is no page at this address.</Nothing>
            </Page>
          ) : (
            <Shown rest={rest} />
          )}
        </Suspense>
      </main>
    </div>
  );
}

function Identity() {
  const { name, accountId, role } = useIdentity();
  return (
    <div className="identity">
      <p>
        <strong>{name}</strong> <span className="quiet">{(Role[role] ?? '').toLowerCase()}</span>
        <br />
        <span className="quiet">account {accountId}</span>
      </p>
      <ThemeSwitch />
      <button type="button" className="button small" onClick={() => keepToken('')}>
        Sign out
      </button>
    </div>
  );
}
