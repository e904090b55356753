-- From version 3 of the embedded store to version 4: messages that share a node.
CREATE TABLE batch (
  k INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  stream TEXT NOT NULL,
  lane INTEGER NOT NULL,
  layer INTEGER,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  n INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  until_ts INTEGER NOT NULL,
  activity INTEGER NOT NULL REFERENCES activity (k),
  schema_name TEXT,
  schema_version TEXT,
  tenant TEXT,
  classification TEXT,
  class_rank INTEGER,
  source TEXT,
  members BLOB NOT NULL,
  removed INTEGER
);
CREATE TABLE span (
  side TEXT NOT NULL, key TEXT NOT NULL, bucket INTEGER NOT NULL, first TEXT NOT NULL,
  last TEXT NOT NULL, batch INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (side, key, bucket, first, batch)
) WITHOUT ROWID;
CREATE TABLE member (
  entity INTEGER PRIMARY KEY, batch INTEGER NOT NULL
);
CREATE INDEX batch_activity ON batch (activity);
CREATE INDEX batch_ts ON batch (ts);
CREATE INDEX batch_layer ON batch (layer, until_ts);
CREATE INDEX batch_removed ON batch (removed) WHERE removed IS NOT NULL;
CREATE INDEX span_batch ON span (batch);
CREATE INDEX member_batch ON member (batch);
