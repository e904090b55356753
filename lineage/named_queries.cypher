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
// All that the messages a finding flags were made from, the earliest first.
MATCH (:Finding {id: $finding})-[:FLAGGED]->(m:Entity)
WITH m
MATCH (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH DISTINCT e
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
  } AS findings
ORDER BY ts, uid

// name: audit_trail(uid, limit=10000)
// A message and all it was made from, the highest layer first, with who answers for it.
MATCH (m:Entity {id: $uid})
WITH m
MATCH (m)-[:DERIVED_FROM*0..24]->(e:Entity)
WITH DISTINCT e
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)-[:ASSOCIATED_WITH]->(g:Agent {kind: 'worker'})
RETURN
  e.layer AS layer, e.ts AS ts, e.id AS uid, e.stream AS stream,
  e.tenant AS tenant, e.classification AS classification,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.source AS source, e.producer_id AS producer_id,
  g.name AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.id AS activity, r.at_ms AS at_ms
ORDER BY coalesce(layer, -1) DESC, ts, uid LIMIT $limit

// name: lineage_gaps(inputs, since=0, until=9223372036854775807)
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
ORDER BY orphans DESC, stream

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
