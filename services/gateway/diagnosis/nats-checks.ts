import { messageOf } from '../../platform/errors.ts';
import { natsRoundTrip } from '../../platform/nats/round-trip.ts';
import { type Check, skipped, sound, unsound } from '../domain/check.ts';

const WITHIN_MS = 2_000;
const ROUND_TRIP_MS_MAX = 50;

/** Whether NATS is there and carries a message. */
export async function natsChecks(url: string | undefined): Promise<Check[]> {
  if (url === undefined) return [skipped('nats.round_trip', 'the gateway was not told of a NATS (NATS_URL)')];
  const startMs = performance.now();
  const tookMs = (): number => performance.now() - startMs;
  try {
    const { roundTripMs } = await natsRoundTrip(url, WITHIN_MS);
    const found = `a message comes back from NATS in ${roundTripMs.toFixed(1)} ms`;
    if (roundTripMs <= ROUND_TRIP_MS_MAX) return [sound('nats.round_trip', found, tookMs())];
    const words = {
      found,
      meaning: 'commands for executors on another replica arrive that much later',
      remedy: 'look at the load of NATS and at the network between',
    };
    return [unsound('nats.round_trip', 'warning', words, tookMs())];
  } catch (thrown) {
    const words = {
      found: `NATS carries no message: ${messageOf(thrown)}`,
      meaning:
        'nothing is lost: commands for executors on another replica, and edits of strategies, arrive up to a second later',
      remedy: 'start nats-server, or correct NATS_URL; services reconnect by themselves',
    };
    return [unsound('nats.round_trip', 'fault', words, tookMs())];
  }
}
