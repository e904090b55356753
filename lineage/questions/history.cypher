// The history of one message, up to its sources or down to all that was made from it.

// name: trace_up(uid, limit=10000)
// A message and all it was made from, the nearest first; hops is the least distance.
MATCH (m:Entity {id: $uid})
// include: up
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
// include: traced

// name: trace_down(uid, limit=10000)
// A message and all that was made from it, the nearest first; hops is the least distance.
MATCH (m:Entity {id: $uid})
// include: down
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
// include: traced

// name: edges_up(uid, limit=100000)
// The derivations among a message and all it was made from.
MATCH (m:Entity {id: $uid})
// include: up
WITH e, min(length(p)) AS hops
WHERE hops < 24
MATCH (e)-[:DERIVED_FROM]->(o:Entity)
RETURN e.id AS child, o.id AS parent
ORDER BY child, parent LIMIT $limit

// name: edges_down(uid, limit=100000)
// The derivations among a message and all that was made from it.
MATCH (m:Entity {id: $uid})
// include: down
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
// include: up
WITH e, min(length(p)) AS hops
ORDER BY e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.layer AS layer, e.ts AS ts,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.tenant AS tenant, e.classification AS classification,
  e.source AS source, e.producer_id AS producer_id,
// include: found
  hops
ORDER BY ts, uid

// name: audit_trail(uid, limit=10000)
// A message and all it was made from, the highest layer first, with who answers for it.
MATCH (m:Entity {id: $uid})
// include: up
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

// name: who_consumed(uid, limit=1000)
// Which workers made something of a message, or of what was made from it, and how often.
MATCH (m:Entity {id: $uid})
// include: down
WITH e, min(length(p)) AS distance
MATCH (r:Activity)-[:USED]->(e)
RETURN
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  e.stream AS stream, min(distance) AS hops, max(distance) AS deepest,
  count(DISTINCT e) AS messages, min(r.at_ms) AS first_ms, max(r.at_ms) AS last_ms
ORDER BY hops, worker, worker_kind, worker_version, stream LIMIT $limit

// name: ancestry(uids, limit=100000)
// Some messages and all they were made from: each with its parents, who made it, and the least
// distance to one of them.
UNWIND $uids AS uid
MATCH (m:Entity {id: uid})
// include: up
WITH e, min(length(p)) AS hops
ORDER BY hops, e.ts, e.id LIMIT $limit
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.ts AS ts, r.worker AS worker, r.worker_kind AS worker_kind,
  COLLECT { MATCH (e)-[:DERIVED_FROM]->(o:Entity) RETURN o.id ORDER BY o.id } AS parents,
  hops
ORDER BY hops, ts, uid

// name: counts()
// How many nodes and edges there are of each kind; batched: how many messages are in batches, of
// which member_of have a node of their own.
RETURN
  COUNT { (:Entity) } AS entities,
  COUNT { (:Activity) } AS activities,
  COUNT { (:Agent) } AS agents,
  COUNT { (:Finding) } AS findings,
  COUNT { ()-[:DERIVED_FROM]->() } AS derived_from,
  COUNT { (:Entity)-[:GENERATED_BY]->() } AS generated_by,
  COUNT { ()-[:USED]->() } AS used,
  COUNT { ()-[:ASSOCIATED_WITH]->() } AS associated_with,
  COUNT { ()-[:FLAGGED]->() } AS flagged,
  COUNT { ()-[:SUPERSEDES]->() } AS supersedes,
  COUNT { (:Batch) } AS batches,
  COUNT { ()-[:MEMBER_OF]->() } AS member_of,
  COLLECT { MATCH (b:Batch) RETURN sum(b.n) } [0] AS batched
