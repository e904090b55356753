-- What several questions have in common; "include: NAME" puts a part into a question.
-- 24 is lineage.model.DEPTH. A CTE named start (k) has to stand before up and down.

-- part: up
-- All that the messages of start were made from, and they themselves; hops is a distance.
up (k, hops) AS (
  SELECT k, 0 FROM start
  UNION
  SELECT derived.parent, hops + 1 FROM up JOIN derived ON derived.child = up.k
  WHERE hops < 24
)

-- part: down
-- All that was made from the messages of start, and they themselves.
down (k, hops) AS (
  SELECT k, 0 FROM start
  UNION
  SELECT derived.child, hops + 1 FROM down JOIN derived ON derived.parent = down.k
  WHERE hops < 24
)

-- part: behind
-- For each of :findings all that the messages it flags were made from, and they themselves.
behind (finding, k, hops) AS (
  SELECT flagged.finding, flagged.entity, 0
  FROM entity JOIN flagged ON flagged.finding = entity.k
  WHERE entity.id IN (SELECT value FROM json_each(:findings))
  UNION
  SELECT finding, derived.parent, hops + 1 FROM behind JOIN derived ON derived.child = behind.k
  WHERE hops < 24
)

-- part: named
-- One message, what a worker or a schema made, what a producer published, or all of a time.
start (k) AS (
  SELECT k FROM entity WHERE id = :uid
  UNION
  SELECT e.k FROM activity r JOIN entity e ON e.activity = r.k
  WHERE r.worker = :worker AND (:version IS NULL OR r.worker_version = :version)
    AND e.ts >= :since AND e.ts < :until
  UNION
  SELECT k FROM entity
  WHERE schema_name = :schema AND (:version IS NULL OR schema_version = :version)
    AND ts >= :since AND ts < :until
  UNION
  SELECT k FROM entity WHERE source = :producer AND ts >= :since AND ts < :until
  UNION
  SELECT k FROM entity
  WHERE coalesce(:uid, :worker, :schema, :producer) IS NULL AND ts >= :since AND ts < :until
)

-- part: findings_json
-- The findings that flag the message e: a column.
(SELECT json_group_array(json_object('kind', kind, 'uid', uid)) FROM (
    SELECT f.kind AS kind, fe.id AS uid
    FROM flagged JOIN finding f ON f.k = flagged.finding JOIN entity fe ON fe.k = f.k
    WHERE flagged.entity = e.k ORDER BY fe.id
  )) AS findings_json,

-- part: places_json
-- Whose place the message e took, and what took its place: two columns.
(SELECT json_group_array(uid) FROM (
    SELECT o.id AS uid FROM supersedes JOIN entity o ON o.k = supersedes.older
    WHERE supersedes.newer = e.k ORDER BY o.id
  )) AS supersedes_json,
  (SELECT json_group_array(uid) FROM (
    SELECT o.id AS uid FROM supersedes JOIN entity o ON o.k = supersedes.newer
    WHERE supersedes.older = e.k ORDER BY o.id
  )) AS superseded_by_json,
