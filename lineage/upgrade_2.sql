-- From version 2 of the embedded store to version 3: what a replay published in place of what.
CREATE TABLE supersedes (
  newer INTEGER NOT NULL, older INTEGER NOT NULL, PRIMARY KEY (newer, older)
) WITHOUT ROWID;
CREATE INDEX supersedes_older ON supersedes (older, newer);
