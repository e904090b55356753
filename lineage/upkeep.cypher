// What a Neo4j store runs besides named queries and the writing of the graph: the hash chain, its
// verification, and retention. The same names, parameters and columns stand in upkeep.sql.

// name: chain_head(lane)
// Takes the lock of the chain, so that one writer at a time makes it longer.
MERGE (h:Chain {lane: $lane})
SET h.locked = true
WITH h WHERE h.n IS NOT NULL
RETURN h.n AS n, h.digest AS digest

// name: chain_known(records)
UNWIND $records AS record
MATCH (l:Link {record: record})
RETURN l.record AS record

// name: chain_append(rows)
UNWIND $rows AS r
CREATE (l:Link)
SET l = r
WITH r
MATCH (h:Chain {lane: r.lane})
SET h.n = r.n, h.digest = r.digest

// name: chain_lanes()
MATCH (l:Link) RETURN DISTINCT l.lane AS lane ORDER BY lane

// name: chain_links(lane, after, limit)
MATCH (l:Link {lane: $lane}) WHERE l.n > $after
RETURN
  l.lane AS lane, l.n AS n, l.record AS record, l.body AS body, l.digest AS digest, l.key AS key
ORDER BY n LIMIT $limit

// name: sealed_activities(records)
UNWIND $records AS record
MATCH (r:Activity {record: record})
RETURN
  r.id AS id, r.worker AS worker, r.worker_kind AS worker_kind,
  r.worker_version AS worker_version, r.host AS host, r.run AS run, r.at_ms AS at_ms,
  r.record AS record

// name: sealed_agents(records)
UNWIND $records AS record
MATCH (r:Activity {record: record})-[:ASSOCIATED_WITH]->(g:Agent)
RETURN r.id AS one, g.id AS other

// name: sealed_entities(records)
UNWIND $records AS record
MATCH (r:Activity {record: record})<-[:GENERATED_BY]-(e:Entity)
WHERE NOT EXISTS { MATCH (e)-[:MEMBER_OF]->(:Batch) }
RETURN
  e.id AS id, e.stream AS stream, e.lane AS lane, e.layer AS layer, e.ts AS ts,
  e.described_by AS described_by, r.id AS activity, e.schema_name AS schema_name,
  e.schema_version AS schema_version, e.tenant AS tenant, e.classification AS classification,
  e.class_rank AS class_rank, e.source AS source, e.producer_id AS producer_id,
  e.roe_hash AS roe_hash

// name: sealed_parents(records)
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(e:Entity)-[:DERIVED_FROM]->(p:Entity)
RETURN e.id AS one, p.id AS other

// name: sealed_findings(records)
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(f:Finding)
RETURN
  f.id AS id, f.kind AS kind, f.detector AS detector, f.severity AS severity,
  f.summary AS summary

// name: sealed_flagged(records)
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(f:Finding)-[:FLAGGED]->(m:Entity)
RETURN f.id AS one, m.id AS other

// name: sealed_supersedes(records)
UNWIND $records AS record
MATCH (:Activity {record: record})<-[:GENERATED_BY]-(e:Entity)-[:SUPERSEDES]->(m:Entity)
RETURN e.id AS one, m.id AS other

// name: unsealed(limit)
// What no link answers for: its sort and its id.
CALL {
  MATCH (r:Activity) WHERE NOT EXISTS { MATCH (l:Link {record: r.record}) }
  RETURN 'activity' AS sort, r.id AS id
  UNION
  MATCH (e:Entity)
  WHERE (e.described_by = '' OR e:Finding OR EXISTS { (e)-[:DERIVED_FROM|SUPERSEDES]->() })
    AND NOT EXISTS { (e)-[:GENERATED_BY]->(:Activity) }
  RETURN 'message' AS sort, e.id AS id
}
RETURN sort, id LIMIT $limit

// name: misread(limit)
// Messages of producers that are described otherwise than by the message that describes them.
MATCH (e:Entity) WHERE e.described_by <> ''
MATCH (d:Entity {id: e.described_by}) WHERE d.described_by = ''
  AND [e.tenant, e.classification, e.class_rank, e.source, e.producer_id, e.roe_hash]
    <> [d.tenant, d.classification, d.class_rank, d.source, d.producer_id, d.roe_hash]
RETURN e.id AS id LIMIT $limit

// name: misused(limit)
// Activities whose used messages are not the parents of what they made.
CALL {
  MATCH (r:Activity)<-[:GENERATED_BY]-(e:Entity)-[:DERIVED_FROM]->(p:Entity)
  WHERE NOT EXISTS { MATCH (p)<-[:USED]-(r) }
  RETURN r.id AS id
  UNION
  MATCH (r:Activity)-[:USED]->(p:Entity)
  WHERE NOT EXISTS { MATCH (p)<-[:DERIVED_FROM]-(e:Entity) WHERE (e)-[:GENERATED_BY]->(r) }
  RETURN r.id AS id
}
RETURN id LIMIT $limit

// name: misnamed(limit)
// Agents whose id is not made of their kind and name.
MATCH (g:Agent) WHERE g.id <> g.kind + '/' + g.name RETURN g.id AS id LIMIT $limit

// name: places(after, limit)
// Where and when each message is, by its id.
MATCH (e:Entity) WHERE e.id > $after
RETURN e.id AS id, e.stream AS stream, e.lane AS lane, e.ts AS ts ORDER BY id LIMIT $limit

// name: hold_add(uid, at_ms, reason)
MERGE (h:Hold {uid: $uid}) ON CREATE SET h.at_ms = $at_ms, h.reason = $reason

// name: hold_drop(uid)
MATCH (h:Hold {uid: $uid}) DELETE h

// name: holds()
MATCH (h:Hold) RETURN h.uid AS uid, h.at_ms AS at_ms, h.reason AS reason ORDER BY at_ms, uid

// name: known_message(uid)
MATCH (e:Entity {id: $uid}) RETURN e.id AS id

// name: retain_layers()
CALL {
  MATCH (e:Entity) RETURN e.layer AS layer
  UNION
  MATCH (b:Batch) RETURN b.layer AS layer
}
RETURN layer ORDER BY layer

// name: retain_unmark()
MATCH (e:Entity) WHERE e.held = 1 REMOVE e.held

// name: retain_mark()
// Held: the messages with a hold, all they were made from, and the findings about any of them.
MATCH (h:Hold)
MATCH (m:Entity {id: h.uid})
MATCH p = (m)-[:DERIVED_FROM*0..1000]->(e:Entity)
WITH e, min(length(p)) AS hops
SET e.held = 1
WITH e
MATCH (f:Finding)-[:FLAGGED]->(e)
SET f.held = 1

// name: retain_due(layer, cut)
// How many messages of a layer are due, but for those of batches, which go with their batch.
MATCH (e:Entity)
WHERE e.ts < $cut AND (e.layer = $layer OR ($layer IS NULL AND e.layer IS NULL))
  AND e.held IS NULL AND (e.removed IS NULL OR e.described_by IS NOT NULL)
  AND NOT EXISTS { MATCH (e)-[:MEMBER_OF]->(:Batch) }
RETURN count(*) AS due

// name: retain_choose(layer, cut, since, limit)
// Marks the oldest that are due for removal: removed = -1 until the end of the transaction.
MATCH (e:Entity)
WHERE e.ts >= $since AND e.ts < $cut
  AND (e.layer = $layer OR ($layer IS NULL AND e.layer IS NULL))
  AND e.held IS NULL AND (e.removed IS NULL OR e.described_by IS NOT NULL)
  AND NOT EXISTS { MATCH (e)-[:MEMBER_OF]->(:Batch) }
WITH e ORDER BY e.ts LIMIT $limit
SET e.removed = -1

// name: retain_chosen()
MATCH (e:Entity) WHERE e.removed = -1 RETURN count(*) AS chosen, max(e.ts) AS latest

// name: retain_orphans()
// Marks what was removed before, and was kept only as an end of edges that go now.
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[:DERIVED_FROM|FLAGGED|SUPERSEDES]->(e:Entity) WHERE e.removed > 0
SET e.removed = -1

// name: retain_unused()
// Drops which messages were used for nothing but what is removed.
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[:GENERATED_BY]->(x:Activity)
MATCH (c)-[:DERIVED_FROM]->(p:Entity)
WITH DISTINCT x, p
WHERE NOT EXISTS {
  MATCH (p)<-[:DERIVED_FROM]-(o:Entity)
  WHERE (o)-[:GENERATED_BY]->(x) AND (o.removed IS NULL OR o.removed <> -1)
}
MATCH (p)<-[u:USED]-(x)
DELETE u

// name: retain_derived()
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[d:DERIVED_FROM]->()
DELETE d

// name: retain_flagged()
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[d:FLAGGED]->()
DELETE d

// name: retain_supersedes()
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[d:SUPERSEDES]->()
DELETE d

// name: retain_findings()
MATCH (c:Finding) WHERE c.removed = -1
REMOVE c:Finding, c.kind, c.detector, c.severity, c.summary

// name: retain_touched()
// Marks the activities that made what is removed.
MATCH (c:Entity) WHERE c.removed = -1
MATCH (c)-[g:GENERATED_BY]->(x:Activity)
SET x.touched = 1
DELETE g

// name: retain_stubs(at_ms)
// What is still the parent, the subject or the forerunner of a message that stays keeps its uid and
// no more.
MATCH (e:Entity) WHERE e.removed = -1
  AND EXISTS { MATCH (e)<-[:DERIVED_FROM|FLAGGED|SUPERSEDES]-() }
SET e.removed = $at_ms
REMOVE e.described_by, e.schema_name, e.schema_version, e.tenant, e.classification,
  e.class_rank, e.source, e.producer_id, e.roe_hash

// name: retain_entities()
MATCH (e:Entity) WHERE e.removed = -1 DETACH DELETE e

// name: retain_idle()
// Of the activities marked, unmarks those that made something that stays.
MATCH (x:Activity) WHERE x.touched = 1 AND EXISTS { MATCH (x)<-[:GENERATED_BY]-() }
REMOVE x.touched

// name: retain_associated()
MATCH (x:Activity) WHERE x.touched = 1
MATCH (x)-[a:ASSOCIATED_WITH]->()
DELETE a

// name: retain_left_used()
MATCH (x:Activity) WHERE x.touched = 1
MATCH (x)-[u:USED]->()
DELETE u

// name: retain_activities()
MATCH (x:Activity) WHERE x.touched = 1 DETACH DELETE x

// name: retain_agents()
MATCH (g:Agent) WHERE NOT EXISTS { MATCH (g)<-[:ASSOCIATED_WITH]-() } DELETE g

// name: export_runs(since)
MATCH (r:Activity) WHERE r.at_ms >= $since
RETURN
  r.worker AS worker, r.run AS run, max(r.worker_version) AS worker_version,
  max(r.at_ms) AS last_ms
ORDER BY worker, run

// name: export_made(since)
MATCH (r:Activity)<-[:GENERATED_BY]-(e:Entity) WHERE r.at_ms >= $since
RETURN r.worker AS worker, r.run AS run, e.stream AS stream, count(*) AS n
ORDER BY worker, run, stream

// name: export_used(since)
MATCH (r:Activity)-[:USED]->(e:Entity) WHERE r.at_ms >= $since
RETURN r.worker AS worker, r.run AS run, e.stream AS stream, count(*) AS n
ORDER BY worker, run, stream

// name: export_refused(since)
MATCH (f:Finding {kind: 'rejection'})-[:FLAGGED]->(e:Entity) WHERE e.ts >= $since
RETURN e.stream AS stream, count(DISTINCT e) AS n ORDER BY stream

// name: export_messages(since)
MATCH (e:Entity) WHERE e.ts >= $since
RETURN e.stream AS stream, count(*) AS n ORDER BY stream
