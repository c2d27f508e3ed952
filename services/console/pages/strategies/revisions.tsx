import { useQuery } from '@connectrpc/connect-query';
import { ChangeType, type Strategy } from '../../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { When } from '../../parts/moment.tsx';
import { Nothing, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';

/** Every revision of a strategy, newest first, with what it changed. */
export function Revisions({ strategy }: { readonly strategy: Strategy }) {
  const { data, error } = useQuery(StrategyService.method.listRevisions, { strategy: strategy.id, pageSize: 100 });
  return (
    <Panel
      title={(data?.nextPageToken ?? '') === '' ? 'Revisions' : `Revisions (the newest ${data?.revisions.length ?? 0})`}
    >
      <Problem error={error} what="Revisions cannot be read" />
      {error === null && data === undefined && <Nothing>Loading …</Nothing>}
      <ol className="plain-list" reversed>
        {data?.revisions.map(({ strategy: revised, type, changes, author }) => (
          <li key={String(revised?.revision)}>
            <p className="row">
              <strong>Revision {String(revised?.revision)}</strong>
              <span>{(ChangeType[type] ?? '').toLowerCase()}</span>
              <span className="quiet">
                <When time={revised?.updateTime} /> by {author}
              </span>
            </p>
            {changes.length > 0 && (
              <table className="diff">
                <thead className="unseen">
                  <tr>
                    <th>Field</th>
                    <th>Before</th>
                    <th>After</th>
                  </tr>
                </thead>
                <tbody>
                  {changes.map(({ path, before, after }) => (
                    <tr key={path}>
                      <td>
                        <code>{path}</code>
                      </td>
                      <td className="wrap before">
                        {before === '' ? <span className="quiet">absent</span> : <del>{before}</del>}
                      </td>
                      <td className="wrap after">
                        {after === '' ? <span className="quiet">absent</span> : <ins>{after}</ins>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
            <details>
              <summary>The whole of it</summary>
              <pre className="block">{pretty(revised?.json ?? '')}</pre>
            </details>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
