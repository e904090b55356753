-- What a write to the embedded store runs, once a row; repeating any of it changes nothing.

-- name: agents()
INSERT INTO agent (id, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: activities()
INSERT INTO activity (id, worker, worker_kind, worker_version, host, run, at_ms, record)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: entities()
-- The better description wins, as in lineage.model.better; '' sorts before every uid.
INSERT INTO entity (
  id, stream, lane, layer, ts, described_by, activity, schema_name, schema_version, tenant,
  classification, class_rank, source, producer_id, roe_hash
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
  layer = excluded.layer,
  described_by = excluded.described_by,
  activity = excluded.activity,
  schema_name = excluded.schema_name,
  schema_version = excluded.schema_version,
  tenant = excluded.tenant,
  classification = excluded.classification,
  class_rank = excluded.class_rank,
  source = excluded.source,
  producer_id = excluded.producer_id,
  roe_hash = excluded.roe_hash
WHERE excluded.described_by < entity.described_by
  OR (excluded.described_by IS NOT NULL AND entity.described_by IS NULL);

-- name: findings()
INSERT INTO finding (k, kind, detector, severity, summary) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: derived()
INSERT INTO derived (child, parent) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: used()
INSERT INTO used (activity, entity) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: associated()
INSERT INTO associated (activity, agent) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: flagged()
INSERT INTO flagged (finding, entity) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: supersedes()
INSERT INTO supersedes (newer, older) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: batches()
INSERT INTO batch (
  id, key, stream, lane, layer, first, last, n, ts, until_ts, activity, schema_name,
  schema_version, tenant, classification, class_rank, source, members
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: spans()
INSERT INTO span (batch, side, key, bucket, first, last, n) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: members()
INSERT INTO member (entity, batch) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: batch_keys()
SELECT id, k FROM batch WHERE id IN (?);

-- name: entity_keys()
-- As many marks as ids are put in; a JSON array would lose what follows a NUL.
SELECT id, k FROM entity WHERE id IN (?);

-- name: activity_keys()
SELECT id, k FROM activity WHERE id IN (?);

-- name: agent_keys()
SELECT id, k FROM agent WHERE id IN (?);
