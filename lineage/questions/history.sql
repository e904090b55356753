-- The history of one message, up to its sources or down to all that was made from it.

-- name: trace_up(uid, limit=10000)
-- A message and all it was made from, the nearest first; hops is the least distance.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: up,
nearest AS (SELECT k, min(hops) AS hops FROM up GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.lane, e.layer, e.ts,
  r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
-- include: findings_json
-- include: places_json
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: trace_down(uid, limit=10000)
-- A message and all that was made from it, the nearest first; hops is the least distance.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: down,
nearest AS (SELECT k, min(hops) AS hops FROM down GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.lane, e.layer, e.ts,
  r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
-- include: findings_json
-- include: places_json
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: edges_up(uid, limit=100000)
-- The derivations among a message and all it was made from.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: up
SELECT DISTINCT c.id AS child, p.id AS parent
FROM up
JOIN derived ON derived.child = up.k
JOIN entity c ON c.k = derived.child
JOIN entity p ON p.k = derived.parent
WHERE up.hops < 24
ORDER BY c.id, p.id LIMIT :limit;

-- name: edges_down(uid, limit=100000)
-- The derivations among a message and all that was made from it.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: down
SELECT DISTINCT c.id AS child, p.id AS parent
FROM down
JOIN derived ON derived.parent = down.k
JOIN entity c ON c.k = derived.child
JOIN entity p ON p.k = derived.parent
WHERE down.hops < 24
ORDER BY c.id, p.id LIMIT :limit;

-- name: findings_of(uid, limit=10000)
-- What was found about a message, all it was made from and all that was made from it.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: up,
-- include: down,
traced AS (SELECT k FROM up UNION SELECT k FROM down)
SELECT
  fe.id AS uid, f.kind, f.detector, f.severity, f.summary, fe.ts, e.id AS flagged
FROM traced
JOIN flagged ON flagged.entity = traced.k
JOIN finding f ON f.k = flagged.finding
JOIN entity fe ON fe.k = f.k
JOIN entity e ON e.k = traced.k
ORDER BY fe.ts, fe.id, e.id LIMIT :limit;

-- name: root_cause(finding, limit=1000)
-- All that the messages a finding flags were made from, the earliest first; hops is the least
-- distance to one of them.
WITH RECURSIVE start (k) AS (
  SELECT flagged.entity
  FROM entity JOIN flagged ON flagged.finding = entity.k WHERE entity.id = :finding
),
-- include: up,
nearest AS (SELECT k, min(hops) AS hops FROM up GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.layer, e.ts, r.worker, r.worker_kind, r.worker_version,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
-- include: findings_json
  nearest.hops
FROM nearest
JOIN entity e ON e.k = nearest.k
LEFT JOIN activity r ON r.k = e.activity
ORDER BY e.ts, e.id LIMIT :limit;

-- name: audit_trail(uid, limit=10000)
-- A message and all it was made from, the highest layer first, with who answers for it.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: up,
nearest AS (SELECT k, min(hops) AS hops FROM up GROUP BY k)
SELECT
  e.layer, e.ts, e.id AS uid, e.stream, e.tenant, e.classification,
  e.schema_name, e.schema_version, e.source, e.producer_id,
  g.name AS worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  nearest.hops
FROM nearest
JOIN entity e ON e.k = nearest.k
LEFT JOIN activity r ON r.k = e.activity
LEFT JOIN associated ON associated.activity = r.k
  AND associated.agent IN (SELECT k FROM agent WHERE kind = 'worker')
LEFT JOIN agent g ON g.k = associated.agent
ORDER BY coalesce(e.layer, -1) DESC, e.ts, e.id LIMIT :limit;

-- name: who_consumed(uid, limit=1000)
-- Which workers made something of a message, or of what was made from it, and how often.
WITH RECURSIVE start (k) AS (SELECT k FROM entity WHERE id = :uid),
-- include: down,
nearest AS (SELECT k, min(hops) AS hops FROM down GROUP BY k)
SELECT
  r.worker, r.worker_kind, r.worker_version, e.stream,
  min(nearest.hops) AS hops, max(nearest.hops) AS deepest,
  count(DISTINCT e.k) AS messages, min(r.at_ms) AS first_ms, max(r.at_ms) AS last_ms
FROM nearest
JOIN entity e ON e.k = nearest.k
JOIN used ON used.entity = e.k
JOIN activity r ON r.k = used.activity
GROUP BY r.worker, r.worker_kind, r.worker_version, e.stream
ORDER BY min(nearest.hops), r.worker, r.worker_kind, r.worker_version, e.stream LIMIT :limit;

-- name: ancestry(uids, limit=100000)
-- Some messages and all they were made from: each with its parents, who made it, and the least
-- distance to one of them.
WITH RECURSIVE start (k) AS (
  SELECT k FROM entity WHERE id IN (SELECT value FROM json_each(:uids))
),
-- include: up,
nearest AS (SELECT k, min(hops) AS hops FROM up GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.ts, r.worker, r.worker_kind,
  (SELECT json_group_array(uid) FROM (
    SELECT p.id AS uid FROM derived JOIN entity p ON p.k = derived.parent
    WHERE derived.child = e.k ORDER BY p.id
  )) AS parents_json,
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: counts()
-- How many nodes and edges there are of each kind; batched: how many messages are in batches, of
-- which member_of have a node of their own.
SELECT
  (SELECT count(*) FROM entity) AS entities,
  (SELECT count(*) FROM activity) AS activities,
  (SELECT count(*) FROM agent) AS agents,
  (SELECT count(*) FROM finding) AS findings,
  (SELECT count(*) FROM derived) AS derived_from,
  (SELECT count(*) FROM entity WHERE activity IS NOT NULL) AS generated_by,
  (SELECT count(*) FROM used) AS used,
  (SELECT count(*) FROM associated) AS associated_with,
  (SELECT count(*) FROM flagged) AS flagged,
  (SELECT count(*) FROM supersedes) AS supersedes,
  (SELECT count(*) FROM batch) AS batches,
  (SELECT count(*) FROM member) AS member_of,
  (SELECT coalesce(sum(n), 0) FROM batch) AS batched;
