import type { Executor } from '../../../../proto/gen/strategos/command/v1/executor_service_pb.js';
import { KINDS } from '../../parts/command-kind.ts';
import { Mark } from '../../parts/mark.tsx';

/** Whether the agent takes every kind of command that the platform can issue; one it cannot take is refused when it is issued. */
export function ContractVerdict({ executor, full = false }: { readonly executor: Executor; readonly full?: boolean }) {
  if (executor.kinds.length === 0) return <Mark tone="idle">not told yet</Mark>;
  const missing = KINDS.filter((kind) => !executor.kinds.includes(kind));
  if (missing.length === 0) return <Mark tone="good">takes all {KINDS.length} kinds</Mark>;
  return (
    <span title={missing.join(', ')}>
      <Mark tone="warn">lacks {full ? missing.join(', ') : `${missing.length} kinds`}</Mark>
    </span>
  );
}
