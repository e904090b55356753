-- What was found, what stands behind it, and who makes what is found.

-- name: shared_root_cause(findings, limit=25)
-- What stands upstream of most of the findings: a worker or a schema of one version, or a
-- producer; then whose messages led to findings in the largest share: messages of all it made.
WITH RECURSIVE
-- include: behind,
nearest AS (SELECT finding, k, min(hops) AS hops FROM behind GROUP BY finding, k),
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
WITH RECURSIVE
-- include: behind,
nearest AS (SELECT finding, k, min(hops) AS hops FROM behind GROUP BY finding, k)
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
WITH RECURSIVE
-- include: behind
SELECT DISTINCT f.id AS finding, o.id AS upstream
FROM behind
JOIN flagged ON flagged.entity = behind.k AND flagged.finding <> behind.finding
JOIN entity f ON f.k = behind.finding
JOIN entity o ON o.k = flagged.finding
ORDER BY f.id, o.id LIMIT :limit;

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
