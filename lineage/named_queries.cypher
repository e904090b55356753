// The named queries for Neo4j 5. The same names, parameters, columns and order of rows stand in
// named_queries.sql. 24 is lineage.model.DEPTH; times are milliseconds since the epoch.
// A literal depth, and min(length(p)) over paths, let the planner visit each message once.

// name: trace_up(uid, limit=10000)
// A message and all it was made from, the nearest first; hops is the least distance.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.lane AS lane, e.layer AS layer, e.ts AS ts,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.id AS activity, r.at_ms AS at_ms,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.tenant AS tenant, e.classification AS classification,
  e.source AS source, e.producer_id AS producer_id,
  COLLECT {
    MATCH (f:Finding)-[:FLAGGED]->(e) RETURN {kind: f.kind, uid: f.id} ORDER BY f.id
  } AS findings,
  hops
ORDER BY hops, ts, uid

// name: trace_down(uid, limit=10000)
// A message and all that was made from it, the nearest first; hops is the least distance.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.lane AS lane, e.layer AS layer, e.ts AS ts,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.id AS activity, r.at_ms AS at_ms,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.tenant AS tenant, e.classification AS classification,
  e.source AS source, e.producer_id AS producer_id,
  COLLECT {
    MATCH (f:Finding)-[:FLAGGED]->(e) RETURN {kind: f.kind, uid: f.id} ORDER BY f.id
  } AS findings,
  hops
ORDER BY hops, ts, uid

// name: edges_up(uid, limit=100000)
// The derivations among a message and all it was made from.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH e, min(length(p)) AS hops
WHERE hops < 24
MATCH (e)-[:DERIVED_FROM]->(o:Entity)
RETURN e.id AS child, o.id AS parent
ORDER BY child, parent LIMIT $limit

// name: edges_down(uid, limit=100000)
// The derivations among a message and all that was made from it.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
WITH e, min(length(p)) AS hops
WHERE hops < 24
MATCH (e)<-[:DERIVED_FROM]-(o:Entity)
RETURN o.id AS child, e.id AS parent
ORDER BY child, parent LIMIT $limit

// name: findings_of(uid, limit=10000)
// What was found about a message, all it was made from and all that was made from it.
MATCH (m:Entity {id: $uid})
CALL {
  WITH m
  MATCH (m)-[:DERIVED_FROM*0..24]->(e:Entity)
  RETURN DISTINCT e
  UNION
  WITH m
  MATCH (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
  RETURN DISTINCT e
}
MATCH (f:Finding)-[:FLAGGED]->(e)
RETURN
  f.id AS uid, f.kind AS kind, f.detector AS detector, f.severity AS severity,
  f.summary AS summary, f.ts AS ts, e.id AS flagged
ORDER BY ts, uid, flagged LIMIT $limit

// name: root_cause(finding, limit=1000)
// All that the messages a finding flags were made from, the earliest first; hops is the least
// distance to one of them.
MATCH (:Finding {id: $finding})-[:FLAGGED]->(m:Entity)
WITH m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH e, min(length(p)) AS hops
ORDER BY e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.layer AS layer, e.ts AS ts,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.tenant AS tenant, e.classification AS classification,
  e.source AS source, e.producer_id AS producer_id,
  COLLECT {
    MATCH (f:Finding)-[:FLAGGED]->(e) RETURN {kind: f.kind, uid: f.id} ORDER BY f.id
  } AS findings,
  hops
ORDER BY ts, uid

// name: audit_trail(uid, limit=10000)
// A message and all it was made from, the highest layer first, with who answers for it.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH e, min(length(p)) AS hops
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)-[:ASSOCIATED_WITH]->(g:Agent {kind: 'worker'})
RETURN
  e.layer AS layer, e.ts AS ts, e.id AS uid, e.stream AS stream,
  e.tenant AS tenant, e.classification AS classification,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.source AS source, e.producer_id AS producer_id,
  g.name AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.id AS activity, r.at_ms AS at_ms,
  hops
ORDER BY coalesce(layer, -1) DESC, ts, uid LIMIT $limit

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

// name: shared_root_cause(findings, limit=25)
// What stands upstream of most of the findings: a worker or a schema of one version, or a
// producer; then whose messages led to findings in the largest share: messages of all it made.
MATCH (f:Finding)
WHERE f.id IN $findings
MATCH (f)-[:FLAGGED]->(m:Entity)
WITH f, m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH f, e, min(length(p)) AS hops
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
UNWIND [
  {cause: 'worker', name: r.worker, version: r.worker_version},
  {cause: 'schema', name: e.schema_name, version: e.schema_version},
  {cause: 'producer', name: CASE WHEN r IS NULL THEN e.source END, version: null}
] AS candidate
WITH f, e, hops, candidate.cause AS cause, candidate.name AS name, candidate.version AS version
WHERE name IS NOT NULL
WITH
  cause, name, version, count(DISTINCT f) AS findings, count(DISTINCT e) AS messages,
  max(hops) AS deepest
WITH cause, name, version, findings, messages, deepest,
  CASE cause
    WHEN 'worker' THEN COUNT {
      (:Activity {worker: name, worker_version: version})<-[:GENERATED_BY]-(:Entity)
    }
    WHEN 'schema' THEN COUNT {
      MATCH (o:Entity {schema_name: name})
      WHERE coalesce(o.schema_version, '') = coalesce(version, '')
    }
    ELSE COUNT {
      MATCH (o:Entity {source: name}) WHERE NOT EXISTS { (o)-[:GENERATED_BY]->(:Activity) }
    }
  END AS made
RETURN cause, name, version, findings, messages, made, deepest
ORDER BY findings DESC, 1.0 * messages / made DESC, cause, name, coalesce(version, '')
LIMIT $limit

// name: impact(uid=null, worker=null, schema=null, version=null, producer=null,
//   since=0, until=9223372036854775807, limit=1000)
// All that was made from what is named, and that itself: one message (uid), what a worker or a
// schema of one version or any made, or what a producer published, in [since, until) ms; else
// every message of that time. Counted by layer, stream and tenant.
CALL {
  MATCH (m:Entity {id: $uid})
  RETURN m
  UNION
  MATCH (r:Activity {worker: $worker})<-[:GENERATED_BY]-(m:Entity)
  WHERE ($version IS NULL OR r.worker_version = $version) AND m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity {schema_name: $schema})
  WHERE ($version IS NULL OR m.schema_version = $version) AND m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity {source: $producer})
  WHERE m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity)
  WHERE coalesce($uid, $worker, $schema, $producer) IS NULL AND m.ts >= $since AND m.ts < $until
  RETURN m
}
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
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
CALL {
  MATCH (m:Entity {id: $uid})
  RETURN m
  UNION
  MATCH (r:Activity {worker: $worker})<-[:GENERATED_BY]-(m:Entity)
  WHERE ($version IS NULL OR r.worker_version = $version) AND m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity {schema_name: $schema})
  WHERE ($version IS NULL OR m.schema_version = $version) AND m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity {source: $producer})
  WHERE m.ts >= $since AND m.ts < $until
  RETURN m
  UNION
  MATCH (m:Entity)
  WHERE coalesce($uid, $worker, $schema, $producer) IS NULL AND m.ts >= $since AND m.ts < $until
  RETURN m
}
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.layer AS layer, e.ts AS ts,
  e.tenant AS tenant, e.classification AS classification,
  r.worker AS worker, r.worker_version AS worker_version,
  e.schema_name AS schema_name, e.schema_version AS schema_version, hops
ORDER BY hops, ts, uid

// name: who_consumed(uid, limit=1000)
// Which workers made something of a message, or of what was made from it, and how often.
MATCH (m:Entity {id: $uid})
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)
WITH e, min(length(p)) AS distance
MATCH (r:Activity)-[:USED]->(e)
RETURN
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  e.stream AS stream, min(distance) AS hops, max(distance) AS deepest,
  count(DISTINCT e) AS messages, min(r.at_ms) AS first_ms, max(r.at_ms) AS last_ms
ORDER BY hops, worker, worker_kind, worker_version, stream LIMIT $limit

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

// name: violations_by_producer(since=0, until=9223372036854775807, limit=1000)
// What the gates rejected in [since, until) ms, by who published it (source) or which worker made
// it, and by what was wrong; example is one of the messages.
MATCH (f:Finding {kind: 'rejection'})-[:FLAGGED]->(e:Entity)
WHERE f.ts >= $since AND f.ts < $until
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.source AS source, r.worker AS worker, r.worker_version AS worker_version, e.stream AS stream,
  f.detector AS gate, f.summary AS violation, count(DISTINCT e) AS messages,
  min(f.ts) AS first_ts, max(f.ts) AS last_ts, min(e.id) AS example
ORDER BY
  messages DESC, coalesce(source, ''), coalesce(worker, ''), coalesce(worker_version, ''),
  stream, gate, violation
LIMIT $limit

// name: findings_by_version(since=0, until=9223372036854775807, limit=1000)
// How many of the messages that each version of a worker made in [since, until) ms were flagged,
// the largest share first, and the findings about them by kind.
MATCH (e:Entity)-[:GENERATED_BY]->(r:Activity)
WHERE e.ts >= $since AND e.ts < $until
OPTIONAL MATCH (f:Finding)-[:FLAGGED]->(e)
WITH
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  count(DISTINCT e) AS messages,
  count(DISTINCT CASE WHEN f IS NOT NULL THEN e END) AS flagged,
  count(DISTINCT CASE f.kind WHEN 'anomaly' THEN f END) AS anomalies,
  count(DISTINCT CASE f.kind WHEN 'drift' THEN f END) AS drifts,
  count(DISTINCT CASE f.kind WHEN 'rejection' THEN f END) AS rejections,
  count(DISTINCT CASE f.kind WHEN 'dead_letter' THEN f END) AS dead_letters
RETURN
  worker, worker_kind, worker_version, messages, flagged, anomalies, drifts, rejections,
  dead_letters
ORDER BY 1.0 * flagged / messages DESC, worker, worker_kind, worker_version LIMIT $limit

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

// name: findings(since=0, until=9223372036854775807, limit=1000)
// What was found in [since, until) ms, the newest first, and about which messages.
MATCH (f:Finding)
WHERE f.ts >= $since AND f.ts < $until
WITH f
ORDER BY f.ts DESC, f.id DESC LIMIT $limit
RETURN
  f.id AS uid, f.kind AS kind, f.detector AS detector, f.severity AS severity,
  f.summary AS summary, f.ts AS ts, f.stream AS stream,
  COLLECT { MATCH (f)-[:FLAGGED]->(m:Entity) RETURN m.id ORDER BY m.id } AS flagged
ORDER BY ts DESC, uid DESC

// name: incident_causes(findings, limit=100000)
// What stands upstream of each of the findings, by stream and by who made it: how many messages,
// the first of them, and the least distance to a message that the finding flags.
MATCH (f:Finding)
WHERE f.id IN $findings
MATCH (f)-[:FLAGGED]->(m:Entity)
WITH f, m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH f, e, min(length(p)) AS distance
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  f.id AS finding, e.stream AS stream, r.worker AS worker, r.worker_kind AS worker_kind,
  r.worker_version AS worker_version, e.source AS source,
  min(distance) AS hops, count(*) AS messages, min(e.id) AS first
ORDER BY
  finding, hops, stream, coalesce(worker, ''), coalesce(worker_kind, ''),
  coalesce(worker_version, ''), coalesce(source, '')
LIMIT $limit

// name: incident_links(findings, limit=100000)
// Which other findings flag a message that stands upstream of each of the findings.
MATCH (f:Finding)
WHERE f.id IN $findings
MATCH (f)-[:FLAGGED]->(m:Entity)
WITH f, m
MATCH (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH DISTINCT f, e
MATCH (o:Finding)-[:FLAGGED]->(e)
WHERE o <> f
RETURN DISTINCT f.id AS finding, o.id AS upstream
ORDER BY finding, upstream LIMIT $limit

// name: counts()
// How many nodes and edges there are of each kind.
RETURN
  COUNT { (:Entity) } AS entities,
  COUNT { (:Activity) } AS activities,
  COUNT { (:Agent) } AS agents,
  COUNT { (:Finding) } AS findings,
  COUNT { ()-[:DERIVED_FROM]->() } AS derived_from,
  COUNT { ()-[:GENERATED_BY]->() } AS generated_by,
  COUNT { ()-[:USED]->() } AS used,
  COUNT { ()-[:ASSOCIATED_WITH]->() } AS associated_with,
  COUNT { ()-[:FLAGGED]->() } AS flagged
