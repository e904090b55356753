// What several questions have in common; "include: NAME" puts a part into a question.
// 24 is lineage.model.DEPTH. A literal depth, and min(length(p)) over paths, let the planner visit
// each message once.

// part: up
// The ways from a message m to all that it was made from, and to itself.
WITH m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)

// part: down
// The ways from a message m to all that was made from it, and to itself.
WITH m
MATCH p = (m)<-[:DERIVED_FROM*0..24]-(e:Entity)

// part: behind
// For each of $findings the ways to all that the messages it flags were made from.
MATCH (f:Finding)
WHERE f.id IN $findings
MATCH (f)-[:FLAGGED]->(m:Entity)
WITH f, m
MATCH p = (m)-[:DERIVED_FROM*0..24]->(e:Entity)

// part: named
// One message, what a worker or a schema made, what a producer published, or all of a time.
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

// part: found
// The findings that flag the message e: a column.
COLLECT {
    MATCH (f:Finding)-[:FLAGGED]->(e) RETURN {kind: f.kind, uid: f.id} ORDER BY f.id
  } AS findings,

// part: places
// Whose place the message e took, and what took its place: two columns.
COLLECT {
    MATCH (e)-[:SUPERSEDES]->(o:Entity) RETURN o.id ORDER BY o.id
  } AS supersedes,
  COLLECT {
    MATCH (e)<-[:SUPERSEDES]-(o:Entity) RETURN o.id ORDER BY o.id
  } AS superseded_by,

// part: traced
// The rows of a trace.
OPTIONAL MATCH (e)-[:GENERATED_BY]->(r:Activity)
RETURN
  e.id AS uid, e.stream AS stream, e.lane AS lane, e.layer AS layer, e.ts AS ts,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.id AS activity, r.at_ms AS at_ms,
  e.schema_name AS schema_name, e.schema_version AS schema_version,
  e.tenant AS tenant, e.classification AS classification,
  e.source AS source, e.producer_id AS producer_id,
// include: found
// include: places
  hops
ORDER BY hops, ts, uid
