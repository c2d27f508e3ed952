import type { Statement } from './row-types.ts';

/**
 * $1 source, $2 epoch, $3 replica, $4 position, $5 counts, $6 state, $7 reason, $8 head sequence; arrays of events: $9 sequences,
 * $10 times, $11 open times or NULL, $12 opens, $13 highs, $14 lows, $15 closes, $16 volumes, $17 sides; arrays of candles that
 * trades have closed: $18 sequences, $19 close times, $20 opens, $21 highs, $22 lows, $23 closes, $24 volumes.
 * All or nothing: no row when the source is somebody else's by now.
 */
export const advanceSource: Statement = {
  name: 'market_advance_source',
  text: `WITH mine AS (
  UPDATE market.source SET position = $4::jsonb, stats = $5::jsonb, state = $6::text, reason = $7::text, change_time = now()
  WHERE id = $1::uuid AND lease_epoch = $2::bigint AND owner_replica = $3::text AND state = 'RUNNING'
  RETURNING id, account_id, symbol
), head AS (
  INSERT INTO market.symbol AS y (account_id, symbol, head_sequence)
  SELECT account_id, symbol, $8::bigint FROM mine
  ON CONFLICT (account_id, symbol) DO UPDATE SET head_sequence = excluded.head_sequence
  WHERE excluded.head_sequence > y.head_sequence
), events AS (
  INSERT INTO market.event (account_id, symbol, source_id, sequence, time_ms, open_time_ms, open, high, low, close, volume, side)
  SELECT mine.account_id, mine.symbol, mine.id, u.* FROM mine, unnest($9::bigint[], $10::bigint[], $11::bigint[], $12::text[],
    $13::text[], $14::text[], $15::text[], $16::text[], $17::text[]) AS u
  ON CONFLICT DO NOTHING
), candles AS (
  INSERT INTO market.candle (account_id, symbol, source_id, sequence, close_time_ms, open, high, low, close, volume)
  SELECT mine.account_id, mine.symbol, mine.id, u.* FROM mine, unnest($18::bigint[], $19::bigint[], $20::double precision[],
    $21::double precision[], $22::double precision[], $23::double precision[], $24::double precision[]) AS u
  ON CONFLICT DO NOTHING
)
SELECT count(*)::integer AS stored FROM mine`,
};

/** $1 account, $2 symbol, $3 sequence up to which events go, $4 how many candles of trades stay. */
export const trimEvents: Statement = {
  name: 'market_trim_events',
  text: `WITH candles AS (
  DELETE FROM market.candle WHERE account_id = $1 AND symbol = $2 AND sequence <= (
    SELECT sequence FROM market.candle WHERE account_id = $1 AND symbol = $2 ORDER BY sequence DESC OFFSET $4::integer LIMIT 1)
)
DELETE FROM market.event WHERE account_id = $1 AND symbol = $2 AND sequence <= $3::bigint`,
};

/** $1 account, $2 symbol. */
export const readHead: Statement = {
  name: 'market_read_head',
  text: 'SELECT head_sequence FROM market.symbol WHERE account_id = $1 AND symbol = $2',
};

/** $1 account, $2 symbol, $3 how many. Newest first. */
export const readEvents: Statement = {
  name: 'market_read_events',
  text: `SELECT sequence, source_id, time_ms, open_time_ms, open, high, low, close, volume, side FROM market.event
WHERE account_id = $1 AND symbol = $2 ORDER BY sequence DESC LIMIT $3::integer`,
};

/** $1 account, $2 symbol, $3 how many. Newest first. */
export const readCandles: Statement = {
  name: 'market_read_candles',
  text: `SELECT sequence, source_id, close_time_ms, open, high, low, close, volume FROM market.candle
WHERE account_id = $1 AND symbol = $2 ORDER BY sequence DESC LIMIT $3::integer`,
};
