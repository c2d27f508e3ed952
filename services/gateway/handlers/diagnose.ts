import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { MethodImpl } from '@connectrpc/connect';
import {
  type DiagnosticsService,
  Verdict as ProtoVerdict,
} from '../../../proto/gen/strategos/diagnostics/v1/diagnostics_service_pb.js';
import type { Check, Verdict } from '../domain/check.ts';

/** What the handler of DiagnosticsService works with. */
export interface DiagnosticsParts {
  readonly diagnose: () => Promise<readonly Check[]>;
  readonly version: string;
}

const VERDICTS: Readonly<Record<Verdict, ProtoVerdict>> = {
  ok: ProtoVerdict.OK,
  warning: ProtoVerdict.WARNING,
  fault: ProtoVerdict.FAULT,
  skipped: ProtoVerdict.SKIPPED,
};

/** Looks at everything once. Calls that come meanwhile get the same answer: a doctor must not be a burden. */
export function diagnose(parts: DiagnosticsParts): MethodImpl<(typeof DiagnosticsService.method)['diagnose']> {
  let running: Promise<readonly Check[]> | undefined;
  return async () => {
    running ??= parts.diagnose().finally(() => {
      running = undefined;
    });
    const checks = await running;
    return {
      checks: checks.map(({ tookMs, verdict, ...words }) => ({
        ...words,
        verdict: VERDICTS[verdict],
        took: durationFromMs(Math.round(tookMs)),
      })),
      time: timestampFromMs(Date.now()),
      version: parts.version,
    };
  };
}
