-- Who repeats a creation does it soon: the key that recognises the repeat is forgotten by age.
CREATE INDEX strategy_request_idx ON strategy.strategy (create_time) WHERE request_id IS NOT NULL;
