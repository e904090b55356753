-- What the embedded store runs besides named queries and the writing of the graph: the hash
-- chain, its verification, and retention. The same names, parameters and columns stand in
-- upkeep.cypher.

-- name: chain_head(lane)
SELECT n, digest FROM link WHERE lane = :lane ORDER BY n DESC LIMIT 1;

-- name: chain_known(records)
SELECT record FROM link WHERE record IN (SELECT value FROM json_each(:records));

-- name: chain_append(lane, n, record, body, digest, key)
INSERT INTO link (lane, n, record, body, digest, key)
VALUES (:lane, :n, :record, :body, :digest, :key);

-- name: chain_lanes()
SELECT DISTINCT lane FROM link ORDER BY lane;

-- name: chain_links(lane, after, limit)
SELECT lane, n, record, body, digest, key
FROM link WHERE lane = :lane AND n > :after ORDER BY n LIMIT :limit;

-- name: sealed_activities(records)
SELECT id, worker, worker_kind, worker_version, host, run, at_ms, record
FROM activity WHERE record IN (SELECT value FROM json_each(:records));

-- name: sealed_agents(records)
SELECT r.id AS one, g.id AS other
FROM activity r JOIN associated a ON a.activity = r.k JOIN agent g ON g.k = a.agent
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_entities(records)
SELECT
  e.id, e.stream, e.lane, e.layer, e.ts, e.described_by, r.id AS activity, e.schema_name,
  e.schema_version, e.tenant, e.classification, e.class_rank, e.source, e.producer_id, e.roe_hash
FROM activity r JOIN entity e ON e.activity = r.k
WHERE r.record IN (SELECT value FROM json_each(:records))
  AND NOT EXISTS (SELECT 1 FROM member WHERE member.entity = e.k);

-- name: sealed_parents(records)
SELECT e.id AS one, p.id AS other
FROM activity r
JOIN entity e ON e.activity = r.k
JOIN derived d ON d.child = e.k
JOIN entity p ON p.k = d.parent
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_findings(records)
SELECT e.id, f.kind, f.detector, f.severity, f.summary
FROM activity r JOIN entity e ON e.activity = r.k JOIN finding f ON f.k = e.k
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_flagged(records)
SELECT e.id AS one, m.id AS other
FROM activity r
JOIN entity e ON e.activity = r.k
JOIN flagged f ON f.finding = e.k
JOIN entity m ON m.k = f.entity
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: sealed_supersedes(records)
SELECT e.id AS one, m.id AS other
FROM activity r
JOIN entity e ON e.activity = r.k
JOIN supersedes s ON s.newer = e.k
JOIN entity m ON m.k = s.older
WHERE r.record IN (SELECT value FROM json_each(:records));

-- name: unsealed(limit)
-- What no link answers for: its sort and its id.
SELECT 'activity' AS sort, id FROM activity
WHERE NOT EXISTS (SELECT 1 FROM link WHERE link.record = activity.record)
UNION
SELECT 'message', id FROM entity
WHERE (
  described_by = ''
  OR EXISTS (SELECT 1 FROM finding WHERE finding.k = entity.k)
  OR EXISTS (SELECT 1 FROM derived WHERE derived.child = entity.k)
  OR EXISTS (SELECT 1 FROM supersedes WHERE supersedes.newer = entity.k)
) AND NOT EXISTS (SELECT 1 FROM activity WHERE activity.k = entity.activity)
LIMIT :limit;

-- name: misread(limit)
-- Messages of producers that are described otherwise than by the message that describes them.
SELECT e.id
FROM entity e JOIN entity d ON d.id = e.described_by
WHERE e.described_by <> '' AND d.described_by = '' AND (
  e.tenant IS NOT d.tenant OR e.classification IS NOT d.classification
  OR e.class_rank IS NOT d.class_rank OR e.source IS NOT d.source
  OR e.producer_id IS NOT d.producer_id OR e.roe_hash IS NOT d.roe_hash
)
LIMIT :limit;

-- name: misused(limit)
-- Activities whose used messages are not the parents of what they made.
SELECT DISTINCT r.id FROM (
  SELECT c.activity, d.parent AS entity FROM derived d JOIN entity c ON c.k = d.child
  WHERE c.activity IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM used u WHERE u.activity = c.activity AND u.entity = d.parent
  )
  UNION ALL
  SELECT u.activity, u.entity FROM used u WHERE NOT EXISTS (
    SELECT 1 FROM derived d JOIN entity c ON c.k = d.child
    WHERE d.parent = u.entity AND c.activity = u.activity
  )
) wrong JOIN activity r ON r.k = wrong.activity
LIMIT :limit;

-- name: misnamed(limit)
-- Agents whose id is not made of their kind and name.
SELECT id FROM agent WHERE id <> kind || '/' || name LIMIT :limit;

-- name: places(after, limit)
-- Where and when each message is, by its id.
SELECT id, stream, lane, ts FROM entity WHERE id > :after ORDER BY id LIMIT :limit;

-- name: hold_add(uid, at_ms, reason)
INSERT INTO hold (uid, at_ms, reason) VALUES (:uid, :at_ms, :reason) ON CONFLICT DO NOTHING;

-- name: hold_drop(uid)
DELETE FROM hold WHERE uid = :uid;

-- name: holds()
SELECT uid, at_ms, reason FROM hold ORDER BY at_ms, uid;

-- name: known_message(uid)
SELECT id FROM entity WHERE id = :uid;

-- name: retain_layers()
SELECT layer FROM entity UNION SELECT layer FROM batch ORDER BY layer;

-- name: retain_unmark()
UPDATE entity SET held = NULL WHERE held IS NOT NULL;

-- name: retain_mark()
-- Held: the messages with a hold, all they were made from, and the findings about any of them.
WITH RECURSIVE reach (k) AS (
  SELECT k FROM entity WHERE id IN (SELECT uid FROM hold)
  UNION
  SELECT derived.parent FROM reach JOIN derived ON derived.child = reach.k
)
UPDATE entity SET held = 1 WHERE k IN (
  SELECT k FROM reach UNION SELECT finding FROM flagged JOIN reach ON flagged.entity = reach.k
);

-- name: retain_due(layer, cut)
-- How many messages of a layer are due, but for those of batches, which go with their batch.
SELECT count(*) AS due FROM entity
WHERE layer IS :layer AND ts < :cut AND held IS NULL
  AND (removed IS NULL OR described_by IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM member WHERE member.entity = entity.k);

-- name: retain_choose(layer, cut, since, limit)
-- Marks the oldest that are due for removal: removed = -1 until the end of the transaction.
UPDATE entity SET removed = -1 WHERE k IN (
  SELECT k FROM entity
  WHERE layer IS :layer AND ts >= :since AND ts < :cut AND held IS NULL
    AND (removed IS NULL OR described_by IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM member WHERE member.entity = entity.k)
  ORDER BY ts LIMIT :limit
);

-- name: retain_chosen()
SELECT count(*) AS chosen, max(ts) AS latest FROM entity WHERE removed = -1;

-- name: retain_orphans()
-- Marks what was removed before, and was kept only as an end of edges that go now.
UPDATE entity SET removed = -1 WHERE removed > 0 AND k IN (
  SELECT d.parent FROM derived d JOIN entity c ON c.k = d.child WHERE c.removed = -1
  UNION
  SELECT f.entity FROM flagged f JOIN entity c ON c.k = f.finding WHERE c.removed = -1
  UNION
  SELECT s.older FROM supersedes s JOIN entity c ON c.k = s.newer WHERE c.removed = -1
);

-- name: retain_unused()
-- Drops which messages were used for nothing but what is removed.
DELETE FROM used WHERE (activity, entity) IN (
  SELECT c.activity, d.parent FROM derived d JOIN entity c ON c.k = d.child WHERE c.removed = -1
) AND NOT EXISTS (
  SELECT 1 FROM derived d JOIN entity c ON c.k = d.child
  WHERE d.parent = used.entity AND c.activity = used.activity AND c.removed IS NOT -1
);

-- name: retain_derived()
DELETE FROM derived WHERE child IN (SELECT k FROM entity WHERE removed = -1);

-- name: retain_flagged()
DELETE FROM flagged WHERE finding IN (SELECT k FROM entity WHERE removed = -1);

-- name: retain_supersedes()
DELETE FROM supersedes WHERE newer IN (SELECT k FROM entity WHERE removed = -1);

-- name: retain_findings()
DELETE FROM finding WHERE k IN (SELECT k FROM entity WHERE removed = -1);

-- name: retain_touched()
-- Marks the activities that made what is removed.
UPDATE activity SET touched = 1 WHERE k IN (SELECT activity FROM entity WHERE removed = -1);

-- name: retain_stubs(at_ms)
-- What is still the parent, the subject or the forerunner of a message that stays keeps its uid and
-- no more.
UPDATE entity SET
  removed = :at_ms, described_by = NULL, activity = NULL, schema_name = NULL,
  schema_version = NULL, tenant = NULL, classification = NULL, class_rank = NULL, source = NULL,
  producer_id = NULL, roe_hash = NULL
WHERE removed = -1 AND (
  EXISTS (SELECT 1 FROM derived WHERE derived.parent = entity.k)
  OR EXISTS (SELECT 1 FROM flagged WHERE flagged.entity = entity.k)
  OR EXISTS (SELECT 1 FROM supersedes WHERE supersedes.older = entity.k)
);

-- name: retain_entities()
DELETE FROM entity WHERE removed = -1;

-- name: retain_idle()
-- Of the activities marked, unmarks those that made something that stays.
UPDATE activity SET touched = NULL WHERE touched = 1 AND (
  EXISTS (SELECT 1 FROM entity WHERE entity.activity = activity.k)
  OR EXISTS (SELECT 1 FROM batch WHERE batch.activity = activity.k)
);

-- name: retain_associated()
DELETE FROM associated WHERE activity IN (SELECT k FROM activity WHERE touched = 1);

-- name: retain_left_used()
DELETE FROM used WHERE activity IN (SELECT k FROM activity WHERE touched = 1);

-- name: retain_activities()
DELETE FROM activity WHERE touched = 1;

-- name: retain_agents()
DELETE FROM agent WHERE NOT EXISTS (SELECT 1 FROM associated WHERE associated.agent = agent.k);

-- name: export_runs(since)
SELECT worker, run, max(worker_version) AS worker_version, max(at_ms) AS last_ms
FROM activity WHERE at_ms >= :since GROUP BY worker, run ORDER BY worker, run;

-- name: export_made(since)
SELECT r.worker, r.run, e.stream, count(*) AS n
FROM activity r JOIN entity e ON e.activity = r.k
WHERE r.at_ms >= :since GROUP BY r.worker, r.run, e.stream ORDER BY r.worker, r.run, e.stream;

-- name: export_used(since)
SELECT r.worker, r.run, e.stream, count(*) AS n
FROM activity r JOIN used u ON u.activity = r.k JOIN entity e ON e.k = u.entity
WHERE r.at_ms >= :since GROUP BY r.worker, r.run, e.stream ORDER BY r.worker, r.run, e.stream;

-- name: export_refused(since)
SELECT e.stream, count(DISTINCT e.k) AS n
FROM finding f JOIN flagged ON flagged.finding = f.k JOIN entity e ON e.k = flagged.entity
WHERE f.kind = 'rejection' AND e.ts >= :since GROUP BY e.stream ORDER BY e.stream;

-- name: export_messages(since)
SELECT stream, count(*) AS n FROM entity WHERE ts >= :since GROUP BY stream ORDER BY stream;
