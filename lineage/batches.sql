-- What the embedded store runs to find messages in batches, and to answer for those without a node.
-- The same names, parameters and columns stand in batches.cypher. A place is a stream key, a bucket
-- and an entry id as text that sorts; see lineage/batches.py.

-- part: batch_columns
b.id, b.key, b.stream, b.lane, b.layer, b.first, b.last, b.n, b.ts, b.until_ts, r.id AS activity,
  b.schema_name, b.schema_version, b.tenant, b.classification, b.class_rank, b.source, b.members

-- part: activity_columns
r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.at_ms

-- name: batches_any()
-- A row if there is a batch at all.
SELECT 1 AS there FROM batch LIMIT 1;

-- name: batches_at(side, places)
-- The batches of which one side spans one of the places.
SELECT DISTINCT b.id
FROM json_each(:places) p
JOIN span s ON s.side = :side AND s.key = json_extract(p.value, '$[0]')
  AND s.bucket = json_extract(p.value, '$[1]') AND s.first <= json_extract(p.value, '$[2]')
  AND s.last >= json_extract(p.value, '$[2]')
JOIN batch b ON b.k = s.batch
ORDER BY b.id;

-- name: batches_named(worker, schema, producer, version, since, until)
-- The batches with messages of [since, until) ms that a worker made, of a schema or a version of
-- either, of a producer, or all of that time.
SELECT b.id
FROM batch b JOIN activity r ON r.k = b.activity
WHERE b.ts < :until AND b.until_ts >= :since AND (
  (r.worker = :worker AND (:version IS NULL OR r.worker_version = :version))
  OR (b.schema_name = :schema AND (:version IS NULL OR b.schema_version = :version))
  OR b.source = :producer
  OR coalesce(:worker, :schema, :producer) IS NULL
)
ORDER BY b.id;

-- name: batches_from(since, until)
-- The batches made from messages of buckets since to until, by the stream of those.
SELECT DISTINCT b.id, s.key
FROM span s JOIN batch b ON b.k = s.batch
WHERE s.side = 'used' AND s.bucket >= :since AND s.bucket <= :until
ORDER BY b.id, s.key;

-- name: batches_worked(since, until)
-- The batches that were committed in [since, until) ms.
SELECT b.id FROM batch b JOIN activity r ON r.k = b.activity
WHERE r.at_ms >= :since AND r.at_ms < :until ORDER BY b.id;

-- name: batches_counted(worker, schema, version)
-- How many messages without a node a version of a worker, or of a schema, has in batches.
SELECT coalesce(sum(
  b.n - (SELECT count(*) FROM member WHERE member.batch = b.k)
), 0) AS n
FROM batch b JOIN activity r ON r.k = b.activity
WHERE (r.worker = :worker AND r.worker_version = :version)
  OR (b.schema_name = :schema AND b.schema_version IS :version);

-- name: described(uids)
-- What is known of some messages that have a node.
SELECT id AS uid, stream, tenant, classification FROM entity
WHERE id IN (SELECT value FROM json_each(:uids));

-- name: batches_of(ids)
-- Batches, with what made them.
SELECT
-- include: batch_columns,
-- include: activity_columns
FROM batch b JOIN activity r ON r.k = b.activity
WHERE b.id IN (SELECT value FROM json_each(:ids)) ORDER BY b.id;

-- name: known(uids)
-- Which messages have a node, and how each is described.
SELECT id AS uid, described_by FROM entity WHERE id IN (SELECT value FROM json_each(:uids));

-- name: rows_up(uids)
-- Some messages with a node and all they were made from, as trace_up gives them.
WITH RECURSIVE start (k) AS (
  SELECT k FROM entity WHERE id IN (SELECT value FROM json_each(:uids))
),
-- include: up,
nearest AS (SELECT k, min(hops) AS hops FROM up GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.lane, e.layer, e.ts,
  r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
-- include: findings_json
-- include: places_json
  (SELECT json_group_array(uid) FROM (
    SELECT p.id AS uid FROM derived JOIN entity p ON p.k = derived.parent
    WHERE derived.child = e.k ORDER BY p.id
  )) AS parents_json,
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id;

-- name: findings_about(uids)
-- What was found about some messages.
SELECT fe.id AS uid, f.kind, f.detector, f.severity, f.summary, fe.ts, e.id AS flagged
FROM entity e
JOIN flagged ON flagged.entity = e.k
JOIN finding f ON f.k = flagged.finding
JOIN entity fe ON fe.k = f.k
WHERE e.id IN (SELECT value FROM json_each(:uids))
ORDER BY fe.ts, fe.id, e.id;

-- name: uses_of(uids)
-- Which workers made something with a node of some messages.
SELECT
  e.id AS uid, e.stream, r.worker, r.worker_kind, r.worker_version, r.at_ms
FROM entity e JOIN used ON used.entity = e.k JOIN activity r ON r.k = used.activity
WHERE e.id IN (SELECT value FROM json_each(:uids))
ORDER BY e.id, r.id;

-- name: sealed_batches(records)
SELECT
-- include: batch_columns
FROM activity r JOIN batch b ON b.activity = r.k
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_members(records)
-- The messages of batches that have a node, as they stand.
SELECT
  e.id, e.stream, e.lane, e.layer, e.ts, e.described_by, a.id AS activity, e.schema_name,
  e.schema_version, e.tenant, e.classification, e.class_rank, e.source, e.producer_id, e.roe_hash,
  b.id AS batch,
  (SELECT json_group_array(uid) FROM (
    SELECT p.id AS uid FROM derived JOIN entity p ON p.k = derived.parent
    WHERE derived.child = e.k ORDER BY p.id
  )) AS parents_json
FROM activity r
JOIN batch b ON b.activity = r.k
JOIN member m ON m.batch = b.k
JOIN entity e ON e.k = m.entity
LEFT JOIN activity a ON a.k = e.activity
WHERE r.record IN (SELECT value FROM json_each(:records))
ORDER BY e.id;

-- name: sealed_spans(records)
SELECT b.id AS batch, s.side, s.key, s.bucket, s.first, s.last, s.n
FROM activity r JOIN batch b ON b.activity = r.k JOIN span s ON s.batch = b.k
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_nodes(uids)
-- Which of some messages have a node that is no member of a batch, and was not removed.
SELECT id AS uid FROM entity
WHERE id IN (SELECT value FROM json_each(:uids)) AND removed IS NULL
  AND NOT EXISTS (SELECT 1 FROM member WHERE member.entity = entity.k)
ORDER BY id;

-- name: batches_unsealed(limit)
-- Batches that no activity answers for.
SELECT id FROM batch
WHERE NOT EXISTS (SELECT 1 FROM activity WHERE activity.k = batch.activity)
ORDER BY id LIMIT :limit;

-- name: retain_batches_due(layer, cut, limit=1000000000)
-- The batches of a layer that are due as a whole, the oldest first; one with a message that is held
-- stays.
SELECT id, n FROM batch b
WHERE layer IS :layer AND until_ts < :cut AND NOT EXISTS (
  SELECT 1 FROM member m JOIN entity e ON e.k = m.entity
  WHERE m.batch = b.k AND e.held IS NOT NULL
)
ORDER BY until_ts, id LIMIT :limit;

-- name: retain_batches_choose(ids)
-- Marks batches for removal.
UPDATE batch SET removed = -1 WHERE id IN (SELECT value FROM json_each(:ids));

-- name: retain_members_choose()
-- Marks the nodes of their messages.
UPDATE entity SET removed = -1 WHERE k IN (
  SELECT m.entity FROM batch b JOIN member m ON m.batch = b.k WHERE b.removed = -1
);

-- name: retain_batches_touched()
UPDATE activity SET touched = 1 WHERE k IN (SELECT activity FROM batch WHERE removed = -1);

-- name: retain_members()
DELETE FROM member WHERE batch IN (SELECT k FROM batch WHERE removed = -1);

-- name: retain_spans()
DELETE FROM span WHERE batch IN (SELECT k FROM batch WHERE removed = -1);

-- name: retain_batches()
DELETE FROM batch WHERE removed = -1;
