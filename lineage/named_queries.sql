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
-- All that the messages a finding flags were made from, the earliest first; hops is the least
-- distance to one of them.
WITH RECURSIVE reach (k, hops) AS (
  SELECT flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k WHERE entity.id = :finding
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.layer, e.ts, r.worker, r.worker_kind, r.worker_version,
  e.schema_name, e.schema_version, e.tenant, e.classification, e.source, e.producer_id,
  (SELECT json_group_array(json_object('kind', kind, 'uid', uid)) FROM (
    SELECT f.kind AS kind, fe.id AS uid
    FROM flagged JOIN finding f ON f.k = flagged.finding JOIN entity fe ON fe.k = f.k
    WHERE flagged.entity = e.k ORDER BY fe.id
  )) AS findings_json,
  nearest.hops
FROM nearest
JOIN entity e ON e.k = nearest.k
LEFT JOIN activity r ON r.k = e.activity
ORDER BY e.ts, e.id LIMIT :limit;

-- name: audit_trail(uid, limit=10000)
-- A message and all it was made from, the highest layer first, with who answers for it.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
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

-- name: lineage_gaps(inputs, since=0, until=9223372036854775807, limit=1000)
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
ORDER BY orphans DESC, stream LIMIT :limit;

-- name: shared_root_cause(findings, limit=25)
-- What stands upstream of most of the findings: a worker or a schema of one version, or a
-- producer; then whose messages led to findings in the largest share: messages of all it made.
WITH RECURSIVE reach (finding, k, hops) AS (
  SELECT flagged.finding, flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k
  WHERE entity.id IN (SELECT value FROM json_each(:findings))
  UNION
  SELECT finding, derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
),
nearest AS (SELECT finding, k, min(hops) AS hops FROM reach GROUP BY finding, k),
candidate AS (
  SELECT 'worker' AS cause, r.worker AS name, r.worker_version AS version, nearest.*
  FROM nearest JOIN entity e ON e.k = nearest.k JOIN activity r ON r.k = e.activity
  UNION ALL
  SELECT 'schema', e.schema_name, e.schema_version, nearest.*
  FROM nearest JOIN entity e ON e.k = nearest.k WHERE e.schema_name IS NOT NULL
  UNION ALL
  SELECT 'producer', e.source, NULL, nearest.*
  FROM nearest JOIN entity e ON e.k = nearest.k
  WHERE e.source IS NOT NULL AND e.activity IS NULL
),
counted AS (
  SELECT
    cause, name, version, count(DISTINCT finding) AS findings, count(DISTINCT k) AS messages,
    max(hops) AS deepest
  FROM candidate GROUP BY cause, name, version
)
SELECT
  cause, name, version, findings, messages,
  CASE cause
    WHEN 'worker' THEN (
      SELECT count(*) FROM activity r JOIN entity e ON e.activity = r.k
      WHERE r.worker = name AND r.worker_version = version)
    WHEN 'schema' THEN (
      SELECT count(*) FROM entity WHERE schema_name = name AND schema_version IS version)
    ELSE (SELECT count(*) FROM entity WHERE source = name AND activity IS NULL)
  END AS made,
  deepest
FROM counted
ORDER BY findings DESC, 1.0 * messages / made DESC, cause, name, coalesce(version, '')
LIMIT :limit;

-- name: impact(uid=null, worker=null, schema=null, version=null, producer=null,
--   since=0, until=9223372036854775807, limit=1000)
-- All that was made from what is named, and that itself: one message (uid), what a worker or a
-- schema of one version or any made, or what a producer published, in [since, until) ms; else
-- every message of that time. Counted by layer, stream and tenant.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM (
    SELECT k FROM entity WHERE id = :uid
    UNION
    SELECT e.k FROM activity r JOIN entity e ON e.activity = r.k
    WHERE r.worker = :worker AND (:version IS NULL OR r.worker_version = :version)
      AND e.ts >= :since AND e.ts < :until
    UNION
    SELECT k FROM entity
    WHERE schema_name = :schema AND (:version IS NULL OR schema_version = :version)
      AND ts >= :since AND ts < :until
    UNION
    SELECT k FROM entity WHERE source = :producer AND ts >= :since AND ts < :until
    UNION
    SELECT k FROM entity
    WHERE coalesce(:uid, :worker, :schema, :producer) IS NULL AND ts >= :since AND ts < :until
  )
  UNION
  SELECT derived.child, hops + 1 FROM reach JOIN derived ON derived.parent = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
SELECT
  e.layer, e.stream, e.tenant, count(*) AS messages, min(e.ts) AS first_ts, max(e.ts) AS last_ts,
  max(nearest.hops) AS deepest
FROM nearest JOIN entity e ON e.k = nearest.k
GROUP BY e.layer, e.stream, e.tenant
ORDER BY coalesce(e.layer, -1), e.stream, coalesce(e.tenant, '') LIMIT :limit;

-- name: taint(uid=null, worker=null, schema=null, version=null, producer=null,
--   since=0, until=9223372036854775807, limit=1000)
-- All that was made from what is named, and that itself: one message (uid), what a worker or a
-- schema of one version or any made, or what a producer published, in [since, until) ms; else
-- every message of that time. The nearest first; hops is the least distance.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM (
    SELECT k FROM entity WHERE id = :uid
    UNION
    SELECT e.k FROM activity r JOIN entity e ON e.activity = r.k
    WHERE r.worker = :worker AND (:version IS NULL OR r.worker_version = :version)
      AND e.ts >= :since AND e.ts < :until
    UNION
    SELECT k FROM entity
    WHERE schema_name = :schema AND (:version IS NULL OR schema_version = :version)
      AND ts >= :since AND ts < :until
    UNION
    SELECT k FROM entity WHERE source = :producer AND ts >= :since AND ts < :until
    UNION
    SELECT k FROM entity
    WHERE coalesce(:uid, :worker, :schema, :producer) IS NULL AND ts >= :since AND ts < :until
  )
  UNION
  SELECT derived.child, hops + 1 FROM reach JOIN derived ON derived.parent = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.layer, e.ts, e.tenant, e.classification,
  r.worker, r.worker_version, e.schema_name, e.schema_version, nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;

-- name: who_consumed(uid, limit=1000)
-- Which workers made something of a message, or of what was made from it, and how often.
WITH RECURSIVE reach (k, hops) AS (
  SELECT k, 0 FROM entity WHERE id = :uid
  UNION
  SELECT derived.child, hops + 1 FROM reach JOIN derived ON derived.parent = reach.k
  WHERE hops < 24
),
nearest AS (SELECT k, min(hops) AS hops FROM reach GROUP BY k)
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

-- name: access_report(tenant=null, since=0, until=9223372036854775807, limit=1000)
-- Which workers made something of a tenant's messages in [since, until) ms, tenant by tenant.
SELECT
  e.tenant, r.worker, r.worker_kind, r.worker_version, e.stream, e.classification,
  count(DISTINCT e.k) AS messages, min(r.at_ms) AS first_ms, max(r.at_ms) AS last_ms
FROM activity r JOIN used ON used.activity = r.k JOIN entity e ON e.k = used.entity
WHERE r.at_ms >= :since AND r.at_ms < :until
  AND e.tenant IS NOT NULL AND (:tenant IS NULL OR e.tenant = :tenant)
GROUP BY e.tenant, r.worker, r.worker_kind, r.worker_version, e.stream, e.classification
ORDER BY
  e.tenant, messages DESC, r.worker, r.worker_kind, r.worker_version, e.stream,
  coalesce(e.classification, '')
LIMIT :limit;

-- name: violations_by_producer(since=0, until=9223372036854775807, limit=1000)
-- What the gates rejected in [since, until) ms, by who published it (source) or which worker made
-- it, and by what was wrong; example is one of the messages.
SELECT
  e.source, r.worker, r.worker_version, e.stream, f.detector AS gate, f.summary AS violation,
  count(DISTINCT e.k) AS messages, min(fe.ts) AS first_ts, max(fe.ts) AS last_ts,
  min(e.id) AS example
FROM finding f
JOIN entity fe ON fe.k = f.k
JOIN flagged ON flagged.finding = f.k
JOIN entity e ON e.k = flagged.entity
LEFT JOIN activity r ON r.k = e.activity
WHERE f.kind = 'rejection' AND fe.ts >= :since AND fe.ts < :until
GROUP BY e.source, r.worker, r.worker_version, e.stream, f.detector, f.summary
ORDER BY
  messages DESC, coalesce(e.source, ''), coalesce(r.worker, ''), coalesce(r.worker_version, ''),
  e.stream, f.detector, f.summary
LIMIT :limit;

-- name: findings_by_version(since=0, until=9223372036854775807, limit=1000)
-- How many of the messages that each version of a worker made in [since, until) ms were flagged,
-- the largest share first, and the findings about them by kind.
SELECT
  r.worker, r.worker_kind, r.worker_version, count(DISTINCT e.k) AS messages,
  count(DISTINCT flagged.entity) AS flagged,
  count(DISTINCT CASE f.kind WHEN 'anomaly' THEN f.k END) AS anomalies,
  count(DISTINCT CASE f.kind WHEN 'drift' THEN f.k END) AS drifts,
  count(DISTINCT CASE f.kind WHEN 'rejection' THEN f.k END) AS rejections,
  count(DISTINCT CASE f.kind WHEN 'dead_letter' THEN f.k END) AS dead_letters
FROM entity e
JOIN activity r ON r.k = e.activity
LEFT JOIN flagged ON flagged.entity = e.k
LEFT JOIN finding f ON f.k = flagged.finding
WHERE e.ts >= :since AND e.ts < :until
GROUP BY r.worker, r.worker_kind, r.worker_version
ORDER BY
  1.0 * count(DISTINCT flagged.entity) / count(DISTINCT e.k) DESC,
  r.worker, r.worker_kind, r.worker_version
LIMIT :limit;

-- name: policy_crossings(since=0, until=9223372036854775807, limit=1000)
-- Derivations in [since, until) ms along which the tenant changes or the classification goes
-- down, by the worker that made them; example is one of the messages that were made.
SELECT
  p.tenant AS from_tenant, c.tenant AS to_tenant,
  p.classification AS from_classification, c.classification AS to_classification,
  p.stream AS from_stream, c.stream AS to_stream, r.worker, r.worker_version,
  count(*) AS derivations, min(c.ts) AS first_ts, max(c.ts) AS last_ts, min(c.id) AS example
FROM entity c
JOIN derived ON derived.child = c.k
JOIN entity p ON p.k = derived.parent
LEFT JOIN activity r ON r.k = c.activity
WHERE c.ts >= :since AND c.ts < :until
  AND (c.tenant <> p.tenant OR c.class_rank < p.class_rank)
GROUP BY
  p.tenant, c.tenant, p.classification, c.classification, p.stream, c.stream, r.worker,
  r.worker_version
ORDER BY
  derivations DESC, coalesce(p.tenant, ''), coalesce(c.tenant, ''),
  coalesce(p.classification, ''), coalesce(c.classification, ''), p.stream, c.stream,
  coalesce(r.worker, ''), coalesce(r.worker_version, '')
LIMIT :limit;

-- name: findings(since=0, until=9223372036854775807, limit=1000)
-- What was found in [since, until) ms, the newest first, and about which messages.
SELECT
  e.id AS uid, f.kind, f.detector, f.severity, f.summary, e.ts, e.stream,
  (SELECT json_group_array(uid) FROM (
    SELECT m.id AS uid FROM flagged JOIN entity m ON m.k = flagged.entity
    WHERE flagged.finding = f.k ORDER BY m.id
  )) AS flagged_json
FROM finding f JOIN entity e ON e.k = f.k
WHERE e.ts >= :since AND e.ts < :until
ORDER BY e.ts DESC, e.id DESC LIMIT :limit;

-- name: incident_causes(findings, limit=100000)
-- What stands upstream of each of the findings, by stream and by who made it: how many messages,
-- the first of them, and the least distance to a message that the finding flags.
WITH RECURSIVE reach (finding, k, hops) AS (
  SELECT flagged.finding, flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k
  WHERE entity.id IN (SELECT value FROM json_each(:findings))
  UNION
  SELECT finding, derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
),
nearest AS (SELECT finding, k, min(hops) AS hops FROM reach GROUP BY finding, k)
SELECT
  f.id AS finding, e.stream, r.worker, r.worker_kind, r.worker_version, e.source,
  min(nearest.hops) AS hops, count(*) AS messages, min(e.id) AS first
FROM nearest
JOIN entity f ON f.k = nearest.finding
JOIN entity e ON e.k = nearest.k
LEFT JOIN activity r ON r.k = e.activity
GROUP BY f.id, e.stream, r.worker, r.worker_kind, r.worker_version, e.source
ORDER BY
  f.id, min(nearest.hops), e.stream, coalesce(r.worker, ''), coalesce(r.worker_kind, ''),
  coalesce(r.worker_version, ''), coalesce(e.source, '')
LIMIT :limit;

-- name: incident_links(findings, limit=100000)
-- Which other findings flag a message that stands upstream of each of the findings.
WITH RECURSIVE reach (finding, k, hops) AS (
  SELECT flagged.finding, flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k
  WHERE entity.id IN (SELECT value FROM json_each(:findings))
  UNION
  SELECT finding, derived.parent, hops + 1 FROM reach JOIN derived ON derived.child = reach.k
  WHERE hops < 24
)
SELECT DISTINCT f.id AS finding, o.id AS upstream
FROM reach
JOIN flagged ON flagged.entity = reach.k AND flagged.finding <> reach.finding
JOIN entity f ON f.k = reach.finding
JOIN entity o ON o.k = flagged.finding
ORDER BY f.id, o.id LIMIT :limit;

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
