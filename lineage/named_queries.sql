-- The named queries for the embedded store. The same names, parameters, columns and order of
-- rows stand in named_queries.cypher. 24 is lineage.model.DEPTH; times are milliseconds since the
-- epoch. ts breaks ties before the uid, which is compared as text.
-- A column called X_json comes back as X, decoded; a list is bound as a JSON array.

-- name: trace_up(uid, limit=10000)
-- A message and all it was made from, the nearest first; hops is the least distance.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.lane, e.layer, e.ts,
  r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
  (SELECT json_group_array(json_object('kind', kind, 'uid', uid)) FROM (
    SELECT f.kind AS kind, fe.id AS uid
    FROM flagged JOIN finding f ON f.k = flagged.finding JOIN entity fe ON fe.k = f.k
    WHERE flagged.entity = e.k ORDER BY fe.id
  )) AS findings_json,
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: trace_down(uid, limit=10000)
-- A message and all that was made from it, the nearest first; hops is the least distance.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.child, hops + 1 FROM reach JOIN derived ON derived.parent = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.lane, e.layer, e.ts,
  r.worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
  (SELECT json_group_array(json_object('kind', kind, 'uid', uid)) FROM (
    SELECT f.kind AS kind, fe.id AS uid
    FROM flagged JOIN finding f ON f.k = flagged.finding JOIN entity fe ON fe.k = f.k
    WHERE flagged.entity = e.k ORDER BY fe.id
  )) AS findings_json,
  nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: edges_up(uid, limit=100000)
-- The derivations among a message and all it was made from.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
)
SELECT DISTINCT c.id AS child, p.id AS parent
FROM reach
JOIN derived ON derived.child = reach.k
JOIN entity c ON c.k = derived.child
JOIN entity p ON p.k = derived.parent
WHERE reach.hops < 24
ORDER BY c.id, p.id LIMIT :limit;

-- name: edges_down(uid, limit=100000)
-- The derivations among a message and all that was made from it.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.child, hops + 1 FROM reach JOIN derived ON derived.parent = reach.k
  WHERE hops < 24
)
SELECT DISTINCT c.id AS child, p.id AS parent
FROM reach
JOIN derived ON derived.parent = reach.k
JOIN entity c ON c.k = derived.child
JOIN entity p ON p.k = derived.parent
WHERE reach.hops < 24
ORDER BY c.id, p.id LIMIT :limit;

-- name: findings_of(uid, limit=10000)
-- What was found about a message, all it was made from and all that was made from it.
WITH RECURSIVE up (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.parent, hops + 1 FROM up JOIN derived ON derived.child = up.k
  WHERE hops < 24
),
down (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.child, hops + 1 FROM down JOIN derived ON derived.parent = down.k
  WHERE hops < 24
),
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
-- All that the messages a finding flags were made from, the earliest first.
WITH RECURSIVE reach (k, hops) AS (
  SELECT flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k WHERE entity.id = :finding
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
)
SELECT
  e.id AS uid, e.stream, e.layer, e.ts, r.worker, r.worker_kind, r.worker_version,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
  (SELECT json_group_array(json_object('kind', kind, 'uid', uid)) FROM (
    SELECT f.kind AS kind, fe.id AS uid
    FROM flagged JOIN finding f ON f.k = flagged.finding JOIN entity fe ON fe.k = f.k
    WHERE flagged.entity = e.k ORDER BY fe.id
  )) AS findings_json
FROM (SELECT DISTINCT k FROM reach) a
JOIN entity e ON e.k = a.k
LEFT JOIN activity r ON r.k = e.activity
ORDER BY e.ts, e.id LIMIT :limit;

-- name: audit_trail(uid, limit=10000)
-- A message and all it was made from, the highest layer first, with who answers for it.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
)
SELECT
  e.layer, e.ts, e.id AS uid, e.stream, e.tenant, e.classification,
  e.schema_name, e.schema_version, e.source, e.producer_id,
  g.name AS worker, r.worker_kind, r.worker_version, r.host, r.run, r.id AS activity, r.at_ms
FROM (SELECT DISTINCT k FROM reach) a
JOIN entity e ON e.k = a.k
LEFT JOIN activity r ON r.k = e.activity
LEFT JOIN associated ON associated.activity = r.k
  AND associated.agent IN (SELECT k FROM agent WHERE kind = 'worker')
LEFT JOIN agent g ON g.k = associated.agent
ORDER BY coalesce(e.layer, -1) DESC, e.ts, e.id LIMIT :limit;

-- name: lineage_gaps(inputs, since=0, until=9223372036854775807)
-- Messages without a parent in [since, until) ms, by stream, but for the streams in inputs,
-- which producers write. Those unrecorded lack a record of their own as well.
SELECT
  stream, count(*) AS orphans, sum(activity IS NULL) AS unrecorded,
  min(ts) AS first_ts, max(ts) AS last_ts
FROM entity
WHERE ts >= :since AND ts < :until
  AND stream NOT IN (SELECT value FROM json_each(:inputs))
  AND NOT EXISTS (SELECT 1 FROM derived WHERE derived.child = entity.k)
GROUP BY stream
ORDER BY orphans DESC, stream;

-- name: counts()
-- How many nodes and edges there are of each kind.
SELECT
  (SELECT count(*) FROM entity) AS entities,
  (SELECT count(*) FROM activity) AS activities,
  (SELECT count(*) FROM agent) AS agents,
  (SELECT count(*) FROM finding) AS findings,
  (SELECT count(*) FROM derived) AS derived_from,
  (SELECT count(*) FROM entity WHERE activity IS NOT NULL) AS generated_by,
  (SELECT count(*) FROM used) AS used,
  (SELECT count(*) FROM associated) AS associated_with,
  (SELECT count(*) FROM flagged) AS flagged;
