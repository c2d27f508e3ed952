import type { GetCommandStatsResponse } from '../../../../proto/gen/strategos/command/v1/command_service_pb.js';
import { Chart, type Line } from '../../parts/chart.tsx';
import { percentText } from '../../parts/number.ts';
import { Panel } from '../../parts/page.tsx';
import { msOf, spanText } from '../../parts/time.ts';

const RATE: readonly Line[] = [
  { name: 'success rate', colour: 'good', text: percentText, range: [0, 1.02], points: true },
  { name: 'commands', colour: 'idle', axis: 'second', text: (value) => String(Math.round(value)), width: 1 },
];
const LATENCY: readonly Line[] = [
  { name: 'p95', colour: 'accent', text: spanText, points: true },
  { name: 'p50', colour: 'idle', text: spanText, width: 1 },
];

/** Success rate and latency over the window. */
export function CommandTrends({
  stats,
  windowSeconds,
  bucketCount,
}: {
  readonly stats: GetCommandStatsResponse | undefined;
  readonly windowSeconds: number;
  readonly bucketCount: number;
}) {
  const { times, rate, count, p95, p50 } = series(stats, windowSeconds, bucketCount);
  const worst = Math.min(1, ...rate.filter((value) => value !== null));
  const slowest = Math.max(0, ...p95.filter((value) => value !== null));
  return (
    <>
      <Panel title="Success rate over time" className="half">
        <Chart
          times={times}
          lines={RATE}
          values={[rate, count]}
          summary={`Success rate over time; the lowest was ${percentText(worst)}`}
        />
      </Panel>
      <Panel title="Time to the end, p95 over time" className="half">
        <Chart
          times={times}
          lines={LATENCY}
          values={[p95, p50]}
          summary={`Time from acceptance to the end over time; the highest p95 was ${spanText(slowest)}`}
        />
      </Panel>
    </>
  );
}

function series(stats: GetCommandStatsResponse | undefined, windowSeconds: number, bucketCount: number) {
  const span = windowSeconds / bucketCount;
  const start = (msOf(stats?.windowStartTime) ?? 0) / 1_000;
  const byIndex = new Map(
    (stats?.buckets ?? []).map((bucket) => [
      Math.round(((msOf(bucket.startTime) ?? 0) / 1_000 - start) / span),
      bucket,
    ]),
  );
  const indexes = Array.from({ length: stats === undefined ? 0 : bucketCount }, (_, index) => index);
  const at = indexes.map((index) => byIndex.get(index));
  return {
    times: indexes.map((index) => start + index * span),
    rate: at.map((bucket) => (bucket === undefined || bucket.tried === 0n ? null : bucket.successRate)),
    count: at.map((bucket) => Number(bucket?.count ?? 0n)),
    p95: at.map((bucket) => bucket?.acceptedToFinished?.p95Ms ?? null),
    p50: at.map((bucket) => bucket?.acceptedToFinished?.p50Ms ?? null),
  };
}
