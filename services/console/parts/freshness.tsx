import { Freshness } from '../../../proto/gen/strategos/market/v1/market_pb.js';
import { Mark, type Tone } from './mark.tsx';

const SHOWN: Readonly<Record<Freshness, readonly [Tone, string]>> = {
  [Freshness.UNSPECIFIED]: ['idle', 'unknown'],
  [Freshness.FRESH]: ['good', 'fresh'],
  [Freshness.STALE]: ['warn', 'stale: no new entries'],
  [Freshness.BLIND]: ['bad', 'blind'],
};

/** How old the prices of a market are, and what follows. */
export function FreshnessMark({ freshness }: { readonly freshness: Freshness }) {
  const [tone, word] = SHOWN[freshness] ?? SHOWN[Freshness.UNSPECIFIED];
  return <Mark tone={tone}>{word}</Mark>;
}
