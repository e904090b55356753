// The constraints and indexes of a Neo4j store; each is left alone where it exists.

// name: entity_id()
CREATE CONSTRAINT entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE

// name: activity_id()
CREATE CONSTRAINT activity_id IF NOT EXISTS FOR (n:Activity) REQUIRE n.id IS UNIQUE

// name: agent_id()
CREATE CONSTRAINT agent_id IF NOT EXISTS FOR (n:Agent) REQUIRE n.id IS UNIQUE

// name: finding_id()
CREATE CONSTRAINT finding_id IF NOT EXISTS FOR (n:Finding) REQUIRE n.id IS UNIQUE

// name: activity_worker()
CREATE INDEX activity_worker IF NOT EXISTS
FOR (n:Activity) ON (n.worker, n.worker_version, n.at_ms)

// name: entity_ts()
CREATE INDEX entity_ts IF NOT EXISTS FOR (n:Entity) ON (n.ts)

// name: entity_stream()
CREATE INDEX entity_stream IF NOT EXISTS FOR (n:Entity) ON (n.stream, n.ts)

// name: entity_layer()
CREATE INDEX entity_layer IF NOT EXISTS FOR (n:Entity) ON (n.layer, n.ts)

// name: entity_tenant()
CREATE INDEX entity_tenant IF NOT EXISTS FOR (n:Entity) ON (n.tenant, n.class_rank, n.ts)

// name: entity_schema()
CREATE INDEX entity_schema IF NOT EXISTS FOR (n:Entity) ON (n.schema_name, n.schema_version, n.ts)

// name: entity_producer()
CREATE INDEX entity_producer IF NOT EXISTS FOR (n:Entity) ON (n.source, n.producer_id)

// name: finding_kind()
CREATE INDEX finding_kind IF NOT EXISTS FOR (n:Finding) ON (n.kind, n.severity)

// name: link_record()
CREATE CONSTRAINT link_record IF NOT EXISTS FOR (n:Link) REQUIRE n.record IS UNIQUE

// name: link_place()
CREATE CONSTRAINT link_place IF NOT EXISTS FOR (n:Link) REQUIRE (n.lane, n.n) IS UNIQUE

// name: chain_lane()
CREATE CONSTRAINT chain_lane IF NOT EXISTS FOR (n:Chain) REQUIRE n.lane IS UNIQUE

// name: hold_uid()
CREATE CONSTRAINT hold_uid IF NOT EXISTS FOR (n:Hold) REQUIRE n.uid IS UNIQUE

// name: activity_record()
CREATE INDEX activity_record IF NOT EXISTS FOR (n:Activity) ON (n.record)

// name: activity_touched()
CREATE INDEX activity_touched IF NOT EXISTS FOR (n:Activity) ON (n.touched)

// name: entity_held()
CREATE INDEX entity_held IF NOT EXISTS FOR (n:Entity) ON (n.held)

// name: entity_removed()
CREATE INDEX entity_removed IF NOT EXISTS FOR (n:Entity) ON (n.removed)

// name: batch_id()
CREATE CONSTRAINT batch_id IF NOT EXISTS FOR (n:Batch) REQUIRE n.id IS UNIQUE

// name: batch_ts()
CREATE INDEX batch_ts IF NOT EXISTS FOR (n:Batch) ON (n.ts)

// name: batch_layer()
CREATE INDEX batch_layer IF NOT EXISTS FOR (n:Batch) ON (n.layer, n.until_ts)

// name: batch_removed()
CREATE INDEX batch_removed IF NOT EXISTS FOR (n:Batch) ON (n.removed)

// name: span_place()
CREATE INDEX span_place IF NOT EXISTS FOR (n:Span) ON (n.side, n.key, n.bucket)

// name: span_batch()
CREATE INDEX span_batch IF NOT EXISTS FOR (n:Span) ON (n.batch)
