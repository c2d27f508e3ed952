// A process of its own for the fleet: executors live elsewhere than the platform, and so does their work.
import { Fleet, type FleetCredential } from './fleet.ts';

/** What the driver says, and what it hears back. */
export type FleetOrder =
  | {
      readonly type: 'connect';
      readonly linkUrl: string;
      readonly credentials: readonly FleetCredential[];
      readonly atOnceMax: number;
    }
  | { readonly type: 'count' }
  | { readonly type: 'close' };

export type FleetReport =
  | { readonly type: 'connected'; readonly ms: number }
  | { readonly type: 'reconnected'; readonly executors: number }
  | { readonly type: 'acknowledged'; readonly total: number }
  | { readonly type: 'counted'; readonly received: number; readonly duplicates: number };

/** Acknowledgements share a report; a timer that ran all the time took 2 % of the machine at 500 commands a second. */
const REPORT_AFTER_MS = 5;

let acknowledged = 0;
let isReporting = false;
const fleet = new Fleet((count) => {
  acknowledged += count;
  if (isReporting) return;
  isReporting = true;
  setTimeout(() => {
    isReporting = false;
    say({ type: 'acknowledged', total: acknowledged });
  }, REPORT_AFTER_MS);
});
const say = (report: FleetReport): void => {
  process.send?.(report);
};

process.on('disconnect', () => process.exit(0));
process.on('message', (order: FleetOrder) => {
  switch (order.type) {
    case 'connect': {
      const begin = performance.now();
      fleet.connect(order.linkUrl, order.credentials, order.atOnceMax).then(
        () => say({ type: 'connected', ms: performance.now() - begin }),
        (thrown: unknown) => {
          throw thrown;
        },
      );
      return;
    }
    case 'count':
      say({ type: 'counted', received: fleet.received, duplicates: fleet.duplicates });
      return;
    case 'close':
      fleet.close();
      process.disconnect();
  }
});
