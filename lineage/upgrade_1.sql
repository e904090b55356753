-- From version 1 of the embedded store to version 2. What was written before has no links; the
-- verification says so.
ALTER TABLE activity ADD COLUMN touched INTEGER;
ALTER TABLE entity ADD COLUMN roe_hash TEXT;
ALTER TABLE entity ADD COLUMN held INTEGER;
ALTER TABLE entity ADD COLUMN removed INTEGER;
CREATE TABLE link (
  lane TEXT NOT NULL,
  n INTEGER NOT NULL,
  record TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL,
  digest BLOB NOT NULL,
  key TEXT NOT NULL,
  UNIQUE (lane, n)
);
CREATE TABLE hold (uid TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE INDEX activity_record ON activity (record);
CREATE INDEX activity_touched ON activity (touched) WHERE touched IS NOT NULL;
CREATE INDEX entity_held ON entity (held) WHERE held IS NOT NULL;
CREATE INDEX entity_removed ON entity (removed) WHERE removed IS NOT NULL;
