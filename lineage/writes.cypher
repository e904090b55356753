// What a write to Neo4j runs; lineage/neo4j_write.py says which when. Rows come sorted by id, so
// that two writers take their locks in the same order. Down to the first new_ statement repeating
// any of it changes nothing; the others are for what is not there yet.

// name: agents(rows)
UNWIND $rows AS r MERGE (g:Agent {id: r.id}) ON CREATE SET g = r

// name: activities(rows)
UNWIND $rows AS r MERGE (x:Activity {id: r.id}) ON CREATE SET x = r

// name: entities(rows)
// The better description wins, as in lineage.model.better; '' sorts before every uid.
UNWIND $rows AS r
MERGE (e:Entity {id: r.id})
ON CREATE SET e = r
ON MATCH SET e += CASE
  WHEN r.described_by < e.described_by
    OR (r.described_by IS NOT NULL AND e.described_by IS NULL) THEN r
  ELSE {}
END

// name: findings(rows)
UNWIND $rows AS r
MATCH (e:Entity {id: r.id})
SET e:Finding, e += r

// name: generated(rows)
UNWIND $rows AS r
MATCH (e:Entity {id: r[0]})
MATCH (x:Activity {id: r[1]})
MERGE (e)-[:GENERATED_BY]->(x)

// name: derived(rows)
UNWIND $rows AS r
MATCH (child:Entity {id: r[0]})
MATCH (parent:Entity {id: r[1]})
MERGE (child)-[:DERIVED_FROM]->(parent)

// name: used(rows)
UNWIND $rows AS r
MATCH (x:Activity {id: r[0]})
MATCH (e:Entity {id: r[1]})
MERGE (x)-[:USED]->(e)

// name: associated(rows)
UNWIND $rows AS r
MATCH (x:Activity {id: r[0]})
MATCH (g:Agent {id: r[1]})
MERGE (x)-[:ASSOCIATED_WITH]->(g)

// name: flagged(rows)
UNWIND $rows AS r
MATCH (f:Finding {id: r[0]})
MATCH (e:Entity {id: r[1]})
MERGE (f)-[:FLAGGED]->(e)

// name: supersedes(rows)
UNWIND $rows AS r
MATCH (newer:Entity {id: r[0]})
MATCH (older:Entity {id: r[1]})
MERGE (newer)-[:SUPERSEDES]->(older)

// name: batches(rows)
UNWIND $rows AS r
MATCH (x:Activity {id: r.activity})
MERGE (b:Batch {id: r.id})
ON CREATE SET b = r.properties
MERGE (b)-[:GENERATED_BY]->(x)

// name: spans(rows)
UNWIND $rows AS r
MERGE (s:Span {
  batch: r.batch, side: r.side, key: r.key, bucket: r.bucket, first: r.first, last: r.last, n: r.n
})

// name: members(rows)
UNWIND $rows AS r
MATCH (e:Entity {id: r[0]})
MATCH (b:Batch {id: r[1]})
MERGE (e)-[:MEMBER_OF]->(b)

// name: known_entities(rows)
UNWIND $rows AS id
MATCH (e:Entity {id: id})
RETURN e.id AS id

// name: better_entities(rows)
UNWIND $rows AS r
MATCH (e:Entity {id: r.id})
WHERE e.described_by IS NULL OR r.described_by < e.described_by
SET e += r

// name: new_activities(rows)
UNWIND $rows AS r CREATE (x:Activity) SET x = r

// name: new_entities(rows)
UNWIND $rows AS r CREATE (e:Entity) SET e = r

// name: new_outputs(rows)
UNWIND $rows AS o
MATCH (x:Activity {id: o[0]})
UNWIND o[1] AS r
CREATE (e:Entity)-[:GENERATED_BY]->(x)
SET e = r

// name: new_generated(rows)
UNWIND $rows AS r
MATCH (e:Entity {id: r[0]})
MATCH (x:Activity {id: r[1]})
CREATE (e)-[:GENERATED_BY]->(x)

// name: new_derived(rows)
UNWIND $rows AS r
MATCH (child:Entity {id: r[0]})
UNWIND r[1] AS id
MATCH (parent:Entity {id: id})
CREATE (child)-[:DERIVED_FROM]->(parent)

// name: new_used(rows)
UNWIND $rows AS r
MATCH (x:Activity {id: r[0]})
UNWIND r[1] AS id
MATCH (e:Entity {id: id})
CREATE (x)-[:USED]->(e)

// name: new_associated(rows)
UNWIND $rows AS r
MATCH (x:Activity {id: r[0]})
MATCH (g:Agent {id: r[1]})
CREATE (x)-[:ASSOCIATED_WITH]->(g)

// name: new_flagged(rows)
UNWIND $rows AS r
MATCH (f:Finding {id: r[0]})
UNWIND r[1] AS id
MATCH (e:Entity {id: id})
CREATE (f)-[:FLAGGED]->(e)
