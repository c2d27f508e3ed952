import { useEffect, useMemo, useState } from 'react';
import type { Executor } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Batch } from './batch.ts';
import { executors, NO_DEADLINE } from './services.ts';
import { watch } from './watch.ts';

/** Every executor of the account by name, kept up to date; undefined until the first one is known or there is none. */
export function useExecutors(): readonly Executor[] | undefined {
  const [byId, setById] = useState<ReadonlyMap<string, Executor>>();
  useEffect(() => {
    const batch = new Batch<Executor>((changed) =>
      setById((before) => new Map([...(before ?? []), ...changed.map((each) => [each.id, each] as const)])),
    );
    // An account without executors never says anything.
    const settled = setTimeout(() => setById((before) => before ?? new Map()), 1_500);
    const stop = watch({
      open: (signal) => executors.watchExecutors({}, { signal, ...NO_DEADLINE }),
      onMessage: ({ executor }) => {
        if (executor !== undefined) batch.add(executor);
      },
    });
    return () => {
      clearTimeout(settled);
      stop();
      batch.drop();
    };
  }, []);
  return useMemo(
    () => (byId === undefined ? undefined : [...byId.values()].toSorted((a, b) => a.name.localeCompare(b.name))),
    [byId],
  );
}
