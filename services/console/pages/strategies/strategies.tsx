import { useQuery } from '@connectrpc/connect-query';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import { Allowed, Role } from '../../access/identity.tsx';
import { Link } from '../../address/link.tsx';
import { Ago } from '../../parts/moment.tsx';
import { Nothing, Page, Panel } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { StrategyPage } from './strategy-page.tsx';

const LOOK_MS = 4_000;

/** /strategies: all of them; /strategies/new and /strategies/ID: one under edit. */
export default function Strategies({ rest }: { readonly rest: readonly string[] }) {
  const [id] = rest;
  return id === undefined ? <StrategyList /> : <StrategyPage key={id} id={id} />;
}

function StrategyList() {
  const { data, error } = useQuery(
    StrategyService.method.listStrategies,
    { pageSize: 1_000 },
    { refetchInterval: LOOK_MS },
  );
  const rollout = useQuery(StrategyService.method.getRollout, {}, { refetchInterval: LOOK_MS }).data;
  const strategies = data?.strategies ?? [];
  const more = (data?.nextPageToken ?? '') !== '';
  return (
    <Page
      title="Strategies"
      lead="What you edit is what runs: each revision, and who runs it."
      actions={
        <Allowed role={Role.OPERATOR}>
          <Link href="/strategies/new" className="button primary">
            New strategy
          </Link>
        </Allowed>
      }
    >
      <Panel
        title={
          data === undefined
            ? 'Strategies'
            : `Strategies (${more ? `the first ${strategies.length} by name` : strategies.length})`
        }
      >
        <Problem error={error} what="Strategies cannot be read" />
        {error === null && strategies.length === 0 ? (
          <Nothing>{data === undefined ? 'Loading …' : 'There is no strategy yet.'}</Nothing>
        ) : (
          <div className="scroll-x" tabIndex={0} role="region" aria-label="Strategies table">
            <table>
              <thead>
                <tr>
                  <th>Name</th>
                  <th className="number">Revision</th>
                  <th>Changed</th>
                  <th className="number">Instances</th>
                  <th>Roll-out</th>
                  <th>Description</th>
                </tr>
              </thead>
              <tbody>
                {strategies.map((strategy) => {
                  const instances = rollout?.instances.filter(({ strategyId }) => strategyId === strategy.id) ?? [];
                  const behind = instances.filter(({ current }) => !current).length;
                  return (
                    <tr key={strategy.id}>
                      <td>
                        <Link href={`/strategies/${strategy.id}`}>{strategy.definition?.strategyName}</Link>
                      </td>
                      <td className="number">{String(strategy.revision)}</td>
                      <td>
                        <Ago time={strategy.updateTime} />
                      </td>
                      <td className="number">{instances.length}</td>
                      <td>
                        {instances.length === 0 ? '–' : behind === 0 ? 'all current' : `${behind} on an older revision`}
                      </td>
                      <td className="wrap quiet">{strategy.definition?.description}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Panel>
    </Page>
  );
}
