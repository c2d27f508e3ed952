import { useQuery } from '@connectrpc/connect-query';
import { skipToken } from '@tanstack/react-query';
import { StrategyService } from '../../../../proto/gen/strategos/strategy/v1/strategy_service_pb.js';
import type { Strategy } from '../../../../proto/gen/strategos/strategy/v1/strategy_pb.js';
import { Role, useMay } from '../../access/identity.tsx';
import { useQueryFields } from '../../address/address.ts';
import { Nothing, Page } from '../../parts/page.tsx';
import { Problem } from '../../parts/problem.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { Backtest } from './backtest.tsx';
import { Builder } from './builder.tsx';
import { DeleteStrategy } from './delete-strategy.tsx';
import { draftOf, EMPTY_DRAFT } from './draft.ts';
import { IndicatorCatalogue } from './indicator-catalogue.tsx';
import { JsonView } from './json-view.tsx';
import { Revisions } from './revisions.tsx';
import { Rollout } from './rollout.tsx';
import { SaveStrategy } from './save-strategy.tsx';
import { NEW_STRATEGY } from './unsaved.ts';
import { type Editing, useEditing } from './use-editing.ts';
import { Verdict } from './verdict.tsx';

const EDIT_TABS = ['Builder', 'JSON', 'Back-test'] as const;
const TABS = [...EDIT_TABS, 'Revisions', 'Roll-out'] as const;

/** One strategy: edit it, try it on recorded prices, see what was changed and who runs what. */
export function StrategyPage({ id }: { readonly id: string }) {
  const isNew = id === NEW_STRATEGY;
  const { data, error } = useQuery(StrategyService.method.getStrategy, isNew ? skipToken : { strategy: id });
  if (isNew) return <Editor strategy={undefined} />;
  if (data?.strategy !== undefined) return <Editor strategy={data.strategy} />;
  return (
    <Page title="Strategy">
      <Problem error={error} what="The strategy cannot be read" />
      {error === null && <Nothing>Loading …</Nothing>}
    </Page>
  );
}

function Editor({ strategy }: { readonly strategy: Strategy | undefined }) {
  const editing = useEditing(
    strategy?.id ?? NEW_STRATEGY,
    strategy === undefined ? EMPTY_DRAFT : draftOf(strategy.json),
    strategy?.revision ?? 0n,
  );
  const may = useMay(Role.OPERATOR);
  const [fields, setFields] = useQueryFields();
  const tabs = strategy === undefined ? EDIT_TABS : TABS;
  const tab = tabs.find((each) => each === fields.get('tab')) ?? 'Builder';
  const name = strategy?.definition?.strategyName ?? 'New strategy';
  return (
    <Page
      title={name}
      lead={
        strategy === undefined
          ? 'Not stored yet.'
          : `Revision ${strategy.revision}${editing.changed ? ', with changes that are not saved' : ''}`
      }
      actions={
        may && (
          <>
            <SaveStrategy strategy={strategy} editing={editing} />
            {editing.changed && (
              <button type="button" className="button" onClick={editing.discard}>
                Discard changes
              </button>
            )}
            {strategy !== undefined && strategy.deleteTime === undefined && <DeleteStrategy strategy={strategy} />}
          </>
        )
      }
    >
      <Tabs
        label="Views"
        tabs={tabs}
        chosen={tab}
        onChoose={(next) => setFields({ tab: next === 'Builder' ? '' : next })}
      />
      <Shown tab={tab} strategy={strategy} editing={editing} readOnly={!may} />
    </Page>
  );
}

function Aside({ editing }: { readonly editing: Editing }) {
  return (
    <div className="third aside stack">
      <Verdict editing={editing} />
      <IndicatorCatalogue />
    </div>
  );
}

function Shown({
  tab,
  strategy,
  editing,
  readOnly,
}: {
  readonly tab: (typeof TABS)[number];
  readonly strategy: Strategy | undefined;
  readonly editing: Editing;
  readonly readOnly: boolean;
}) {
  switch (tab) {
    case 'Builder':
      return (
        <div className="columns">
          <div className="two-thirds">
            <Builder editing={editing} readOnly={readOnly} />
          </div>
          <Aside editing={editing} />
        </div>
      );
    case 'JSON':
      return (
        <div className="columns">
          <div className="two-thirds">
            <JsonView key={editing.edition} editing={editing} readOnly={readOnly} />
          </div>
          <Aside editing={editing} />
        </div>
      );
    case 'Back-test':
      return <Backtest editing={editing} />;
    case 'Revisions':
      return strategy === undefined ? null : <Revisions strategy={strategy} />;
    case 'Roll-out':
      return strategy === undefined ? null : <Rollout strategy={strategy} />;
    default:
      return tab satisfies never;
  }
}
