// What a Neo4j store runs to find messages in batches, and to answer for those without a node.
// The same names, parameters and columns stand in batches.sql. A place is a stream key, a bucket and
// an entry id as text that sorts; see lineage/batches.py.

// part: batch_columns
b.id AS id, b.key AS key, b.stream AS stream, b.lane AS lane, b.layer AS layer, b.first AS first,
  b.last AS last, b.n AS n, b.ts AS ts, b.until_ts AS until_ts, r.id AS activity,
  b.schema_name AS schema_name, b.schema_version AS schema_version, b.tenant AS tenant,
  b.classification AS classification, b.class_rank AS class_rank, b.source AS source,
  b.members AS members

// name: batches_any()
// A row if there is a batch at all.
MATCH (b:Batch) RETURN 1 AS there LIMIT 1

// name: batches_at(side, places)
// The batches of which one side spans one of the places.
UNWIND $places AS p
MATCH (s:Span {side: $side, key: p[0], bucket: p[1]})
WHERE s.first <= p[2] AND s.last >= p[2]
RETURN DISTINCT s.batch AS id ORDER BY id

// name: batches_named(worker, schema, producer, version, since, until)
// The batches with messages of [since, until) ms that a worker made, of a schema or a version of
// either, of a producer, or all of that time.
MATCH (b:Batch)-[:GENERATED_BY]->(r:Activity)
WHERE b.ts < $until AND b.until_ts >= $since AND (
  (r.worker = $worker AND ($version IS NULL OR r.worker_version = $version))
  OR (b.schema_name = $schema AND ($version IS NULL OR b.schema_version = $version))
  OR b.source = $producer
  OR coalesce($worker, $schema, $producer) IS NULL
)
RETURN b.id AS id ORDER BY id

// name: batches_from(since, until)
// The batches made from messages of buckets since to until, by the stream of those.
MATCH (s:Span {side: 'used'}) WHERE s.bucket >= $since AND s.bucket <= $until
RETURN DISTINCT s.batch AS id, s.key AS key ORDER BY id, key

// name: batches_worked(since, until)
// The batches that were committed in [since, until) ms.
MATCH (b:Batch)-[:GENERATED_BY]->(r:Activity)
WHERE r.at_ms >= $since AND r.at_ms < $until
RETURN b.id AS id ORDER BY id

// name: batches_counted(worker, schema, version)
// How many messages without a node a version of a worker, or of a schema, has in batches.
MATCH (b:Batch)-[:GENERATED_BY]->(r:Activity)
WHERE (r.worker = $worker AND r.worker_version = $version)
  OR (b.schema_name = $schema
    AND (b.schema_version = $version OR ($version IS NULL AND b.schema_version IS NULL)))
RETURN sum(b.n - COUNT { (b)<-[:MEMBER_OF]-() }) AS n

// name: described(uids)
// What is known of some messages that have a node.
UNWIND $uids AS uid
MATCH (e:Entity {id: uid})
RETURN
  e.id AS uid, e.stream AS stream, e.tenant AS tenant, e.classification AS classification

// name: batches_of(ids)
// Batches, with what made them.
UNWIND $ids AS id
MATCH (b:Batch {id: id})-[:GENERATED_BY]->(r:Activity)
RETURN
// include: batch_columns,
  r.worker AS worker, r.worker_kind AS worker_kind, r.worker_version AS worker_version,
  r.host AS host, r.run AS run, r.at_ms AS at_ms
ORDER BY id

// name: known(uids)
// Which messages have a node, and how each is described.
UNWIND $uids AS uid
MATCH (e:Entity {id: uid})
RETURN e.id AS uid, e.described_by AS described_by

// name: rows_up(uids)
// Some messages with a node and all they were made from, as trace_up gives them.
UNWIND $uids AS uid
MATCH (m:Entity {id: uid})
// include: up
WITH e, min(length(p)) AS hops
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
  COLLECT { MATCH (e)-[:DERIVED_FROM]->(o:Entity) RETURN o.id ORDER BY o.id } AS parents,
  hops
ORDER BY hops, ts, uid

// name: findings_about(uids)
// What was found about some messages.
UNWIND $uids AS uid
MATCH (f:Finding)-[:FLAGGED]->(e:Entity {id: uid})
RETURN
  f.id AS uid, f.kind AS kind, f.detector AS detector, f.severity AS severity,
  f.summary AS summary, f.ts AS ts, e.id AS flagged
ORDER BY ts, uid, flagged

// name: uses_of(uids)
// Which workers made something with a node of some messages.
UNWIND $uids AS uid
MATCH (r:Activity)-[:USED]->(e:Entity {id: uid})
RETURN
  e.id AS uid, e.stream AS stream, r.worker AS worker, r.worker_kind AS worker_kind,
  r.worker_version AS worker_version, r.at_ms AS at_ms
ORDER BY uid, r.id

// name: sealed_batches(records)
UNWIND $records AS record
MATCH (r:Activity {record: record})<-[:GENERATED_BY]-(b:Batch)
RETURN
// include: batch_columns

// name: sealed_members(records)
// The messages of batches that have a node, as they stand.
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(b:Batch)<-[:MEMBER_OF]-(e:Entity)
OPTIONAL MATCH (e)-[:GENERATED_BY]->(a:Activity)
RETURN
  e.id AS id, e.stream AS stream, e.lane AS lane, e.layer AS layer, e.ts AS ts,
  e.described_by AS described_by, a.id AS activity, e.schema_name AS schema_name,
  e.schema_version AS schema_version, e.tenant AS tenant, e.classification AS classification,
  e.class_rank AS class_rank, e.source AS source, e.producer_id AS producer_id,
  e.roe_hash AS roe_hash, b.id AS batch,
  COLLECT { MATCH (e)-[:DERIVED_FROM]->(o:Entity) RETURN o.id ORDER BY o.id } AS parents
ORDER BY id

// name: sealed_spans(records)
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(b:Batch)
MATCH (s:Span {batch: b.id})
RETURN
  s.batch AS batch, s.side AS side, s.key AS key, s.bucket AS bucket, s.first AS first,
  s.last AS last, s.n AS n

// name: sealed_nodes(uids)
// Which of some messages have a node that is no member of a batch, and was not removed.
UNWIND $uids AS uid
MATCH (e:Entity {id: uid})
WHERE e.removed IS NULL AND NOT EXISTS { MATCH (e)-[:MEMBER_OF]->(:Batch) }
RETURN e.id AS uid ORDER BY uid

// name: batches_unsealed(limit)
// Batches that no activity answers for.
MATCH (b:Batch) WHERE NOT EXISTS { MATCH (b)-[:GENERATED_BY]->(:Activity) }
RETURN b.id AS id ORDER BY id LIMIT $limit

// name: retain_batches_due(layer, cut, limit=1000000000)
// The batches of a layer that are due as a whole, the oldest first; one with a message that is held
// stays.
MATCH (b:Batch)
WHERE b.until_ts < $cut AND (b.layer = $layer OR ($layer IS NULL AND b.layer IS NULL))
  AND NOT EXISTS { MATCH (b)<-[:MEMBER_OF]-(e:Entity) WHERE e.held = 1 }
RETURN b.id AS id, b.n AS n ORDER BY b.until_ts, id LIMIT $limit

// name: retain_batches_choose(ids)
// Marks batches for removal.
UNWIND $ids AS id
MATCH (b:Batch {id: id})
SET b.removed = -1

// name: retain_members_choose()
// Marks the nodes of their messages.
MATCH (b:Batch) WHERE b.removed = -1
MATCH (b)<-[:MEMBER_OF]-(e:Entity)
SET e.removed = -1

// name: retain_batches_touched()
MATCH (b:Batch) WHERE b.removed = -1
MATCH (b)-[:GENERATED_BY]->(x:Activity)
SET x.touched = 1

// name: retain_members()
MATCH (b:Batch) WHERE b.removed = -1
MATCH (b)<-[m:MEMBER_OF]-()
DELETE m

// name: retain_spans()
MATCH (b:Batch) WHERE b.removed = -1
MATCH (s:Span {batch: b.id})
DELETE s

// name: retain_batches()
MATCH (b:Batch) WHERE b.removed = -1 DETACH DELETE b
