-- Instances that ended are removed by age, unless something that they asked for is still on its way.
CREATE INDEX intent_instance_idx ON evaluator.intent (instance_id);
