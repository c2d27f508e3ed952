import { useQuery } from '@connectrpc/connect-query';
import { useEffect, useMemo, useState } from 'react';
import { type Executor, ExecutorService } from '../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { Batch } from './batch.ts';
import { executors, NO_DEADLINE } from './services.ts';
import { watch } from './watch.ts';

/** Every executor of the account by name, kept up to date; undefined until the first one is known or there is none. */
export function useExecutors(): readonly Executor[] | undefined {
  const [byId, setById] = useState<ReadonlyMap<string, Executor>>();
  // The stream names none where there is none: that is the answer to a question.
  const none = useQuery(ExecutorService.method.listExecutors, { pageSize: 1 }).data?.executors.length === 0;
  useEffect(() => {
    const batch = new Batch<Executor>((changed) =>
      setById((before) => new Map([...(before ?? []), ...changed.map((each) => [each.id, each] as const)])),
    );
    const stop = watch({
      open: (signal) => executors.watchExecutors({ checkpoints: true }, { signal, ...NO_DEADLINE }),
      onMessage: ({ executor }) => {
        if (executor !== undefined) batch.add(executor);
      },
    });
    return () => {
      stop();
      batch.drop();
    };
  }, []);
  return useMemo(() => {
    if (byId === undefined) return none ? [] : undefined;
    return [...byId.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  }, [byId, none]);
}
