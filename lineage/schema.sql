-- The tables of the embedded store. Nodes have integer keys (k), edges are pairs of keys, both
-- ways round: as primary key and as index. GENERATED_BY is entity.activity; a Finding shares
-- its key with the Entity that it is. What the columns mean: lineage/model.py; link, hold, held,
-- removed and touched belong to upkeep.sql. A span of lineage.batches is found by its stream and
-- bucket.

CREATE TABLE activity (
  k INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  worker TEXT NOT NULL,
  worker_kind TEXT NOT NULL,
  worker_version TEXT NOT NULL,
  host TEXT NOT NULL,
  run TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  record TEXT NOT NULL,
  touched INTEGER
);

CREATE TABLE agent (
  k INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL
);

CREATE TABLE entity (
  k INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  stream TEXT NOT NULL,
  lane INTEGER NOT NULL,
  layer INTEGER,
  ts INTEGER NOT NULL,
  described_by TEXT,
  activity INTEGER REFERENCES activity (k),
  schema_name TEXT,
  schema_version TEXT,
  tenant TEXT,
  classification TEXT,
  class_rank INTEGER,
  source TEXT,
  producer_id TEXT,
  roe_hash TEXT,
  held INTEGER,
  removed INTEGER
);

CREATE TABLE finding (
  k INTEGER PRIMARY KEY REFERENCES entity (k),
  kind TEXT NOT NULL,
  detector TEXT NOT NULL,
  severity TEXT,
  summary TEXT NOT NULL
);

CREATE TABLE derived (
  child INTEGER NOT NULL, parent INTEGER NOT NULL, PRIMARY KEY (child, parent)
) WITHOUT ROWID;
CREATE TABLE used (
  activity INTEGER NOT NULL, entity INTEGER NOT NULL, PRIMARY KEY (activity, entity)
) WITHOUT ROWID;
CREATE TABLE associated (
  activity INTEGER NOT NULL, agent INTEGER NOT NULL, PRIMARY KEY (activity, agent)
) WITHOUT ROWID;
CREATE TABLE flagged (
  finding INTEGER NOT NULL, entity INTEGER NOT NULL, PRIMARY KEY (finding, entity)
) WITHOUT ROWID;
CREATE TABLE supersedes (
  newer INTEGER NOT NULL, older INTEGER NOT NULL, PRIMARY KEY (newer, older)
) WITHOUT ROWID;

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

CREATE INDEX derived_parent ON derived (parent, child);
CREATE INDEX used_entity ON used (entity, activity);
CREATE INDEX associated_agent ON associated (agent, activity);
CREATE INDEX flagged_entity ON flagged (entity, finding);
CREATE INDEX supersedes_older ON supersedes (older, newer);

CREATE INDEX activity_worker ON activity (worker, worker_version, at_ms);
CREATE INDEX activity_record ON activity (record);
CREATE INDEX activity_touched ON activity (touched) WHERE touched IS NOT NULL;
CREATE INDEX entity_activity ON entity (activity);
CREATE INDEX entity_ts ON entity (ts);
CREATE INDEX entity_stream ON entity (stream, ts);
CREATE INDEX entity_layer ON entity (layer, ts);
CREATE INDEX entity_tenant ON entity (tenant, class_rank, ts);
CREATE INDEX entity_schema ON entity (schema_name, schema_version, ts);
CREATE INDEX entity_producer ON entity (source, producer_id) WHERE source IS NOT NULL;
CREATE INDEX entity_held ON entity (held) WHERE held IS NOT NULL;
CREATE INDEX entity_removed ON entity (removed) WHERE removed IS NOT NULL;
CREATE INDEX finding_kind ON finding (kind, severity);

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
