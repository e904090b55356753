// How far something spread: all that was made from what is named.

// name: impact(uid=null, worker=null, schema=null, version=null, producer=null,
//   since=0, until=9223372036854775807, limit=1000)
// All that was made from what is named, and that itself: one message (uid), what a worker or a
// schema of one version or any made, or what a producer published, in [since, until) ms; else
// every message of that time. Counted by layer, stream and tenant.
// include: named
// include: down
WITH e, min(length(p)) AS hops
RETURN
  e.layer AS layer, e.stream AS stream, e.tenant AS tenant, count(*) AS messages,
  min(e.ts) AS first_ts, max(e.ts) AS last_ts, max(hops) AS deepest
ORDER BY coalesce(layer, -1), stream, coalesce(tenant, '') LIMIT $limit

// name: taint(uid=null, worker=null, schema=null, version=null, producer=null,
//   since=0, until=9223372036854775807, limit=1000)
// All that was made from what is named, and that itself: one message (uid), what a worker or a
// schema of one version or any made, or what a producer published, in [since, until) ms; else
// every message of that time. The nearest first; hops is the least distance.
// include: named
// include: down
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.layer AS layer, e.ts AS ts,
  e.tenant AS tenant, e.classification AS classification,
  r.worker AS worker, r.worker_version AS worker_version,
  e.schema_name AS schema_name, e.schema_version AS schema_version, hops
ORDER BY hops, ts, uid
