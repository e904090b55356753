-- Reports over a span of time: who read what, where rules were crossed, what is missing.

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
