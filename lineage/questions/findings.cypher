// What was found, what stands behind it, and who makes what is found.

// name: shared_root_cause(findings, limit=25)
// What stands upstream of most of the findings: a worker or a schema of one version, or a
// producer; then whose messages led to findings in the largest share: messages of all it made.
// include: behind
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
// include: behind
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
// include: behind
WITH f, e, min(length(p)) AS hops
MATCH (o:Finding)-[:FLAGGED]->(e)
WHERE o <> f
RETURN DISTINCT f.id AS finding, o.id AS upstream
ORDER BY finding, upstream LIMIT $limit

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
