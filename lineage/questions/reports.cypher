// Reports over a span of time: who read what, where rules were crossed, what is missing.

// name: access_report(tenant=null, since=0, until=9223372036854775807, limit=1000)
// Which workers made something of a tenant's messages in [since, until) ms, tenant by tenant.
MATCH (r:Activity)-[:USED]->(e:Entity)
WHERE r.at_ms >= $since AND r.at_ms < $until
  AND e.tenant IS NOT NULL AND ($tenant IS NULL OR e.tenant = $tenant)
RETURN
  e.tenant AS tenant, r.worker AS worker, r.worker_kind AS worker_kind,
  r.worker_version AS worker_version, e.stream AS stream, e.classification AS classification,
  count(DISTINCT e) AS messages, min(r.at_ms) AS first_ms, max(r.at_ms) AS last_ms
ORDER BY
  tenant, messages DESC, worker, worker_kind, worker_version, stream, coalesce(classification, '')
LIMIT $limit

// name: policy_crossings(since=0, until=9223372036854775807, limit=1000)
// Derivations in [since, until) ms along which the tenant changes or the classification goes
// down, by the worker that made them; example is one of the messages that were made.
MATCH (c:Entity)-[:DERIVED_FROM]->(p:Entity)
WHERE c.ts >= $since AND c.ts < $until
  AND (c.tenant <> p.tenant OR c.class_rank < p.class_rank)
OPTIONAL MATCH (c)-[:GENERATED_BY]->(r:Activity)
RETURN
  p.tenant AS from_tenant, c.tenant AS to_tenant,
  p.classification AS from_classification, c.classification AS to_classification,
  p.stream AS from_stream, c.stream AS to_stream,
  r.worker AS worker, r.worker_version AS worker_version,
  count(*) AS derivations, min(c.ts) AS first_ts, max(c.ts) AS last_ts, min(c.id) AS example
ORDER BY
  derivations DESC, coalesce(from_tenant, ''), coalesce(to_tenant, ''),
  coalesce(from_classification, ''), coalesce(to_classification, ''), from_stream, to_stream,
  coalesce(worker, ''), coalesce(worker_version, '')
LIMIT $limit

// name: lineage_gaps(inputs, since=0, until=9223372036854775807, limit=1000)
// Messages without a parent in [since, until) ms, by stream, but for the streams in inputs,
// which producers write. Those unrecorded lack a record of their own as well.
MATCH (e:Entity)
WHERE e.ts >= $since AND e.ts < $until
  AND NOT e.stream IN $inputs
  AND NOT EXISTS { (e)-[:DERIVED_FROM]->(:Entity) }
RETURN
  e.stream AS stream, count(*) AS orphans,
  count(CASE WHEN NOT EXISTS { (e)-[:GENERATED_BY]->(:Activity) } THEN 1 END) AS unrecorded,
  min(e.ts) AS first_ts, max(e.ts) AS last_ts
ORDER BY orphans DESC, stream LIMIT $limit
