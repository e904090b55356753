-- How far something spread: all that was made from what is named.

-- name: impact(uid=null, worker=null, schema=null, version=null, producer=null,
--   since=0, until=9223372036854775807, limit=1000)
-- All that was made from what is named, and that itself: one message (uid), what a worker or a
-- schema of one version or any made, or what a producer published, in [since, until) ms; else
-- every message of that time. Counted by layer, stream and tenant.
WITH RECURSIVE
-- include: named,
-- include: down,
nearest AS (SELECT k, min(hops) AS hops FROM down GROUP BY k)
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
WITH RECURSIVE
-- include: named,
-- include: down,
nearest AS (SELECT k, min(hops) AS hops FROM down GROUP BY k)
SELECT
  e.id AS uid, e.stream, e.layer, e.ts, e.tenant, e.classification,
  r.worker, r.worker_version, e.schema_name, e.schema_version, nearest.hops
FROM nearest JOIN entity e ON e.k = nearest.k LEFT JOIN activity r ON r.k = e.activity
ORDER BY nearest.hops, e.ts, e.id LIMIT :limit;
