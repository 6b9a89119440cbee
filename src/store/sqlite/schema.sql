-- What is looked for is taken out of the canonical bytes by SQLite itself, so that no column can tell another story.
CREATE TABLE chain (
    id    BLOB PRIMARY KEY CHECK (length(id) = 16),
    first INTEGER NOT NULL DEFAULT 0,                    -- the position of the first entry that was not purged
    base  BLOB NOT NULL CHECK (length(base) = 32),       -- what that is linked to
    next  INTEGER NOT NULL DEFAULT 0,
    head  BLOB NOT NULL CHECK (length(head) = 32)        -- the hash of the last entry
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    chain    BLOB NOT NULL REFERENCES chain (id),
    position INTEGER NOT NULL,
    id       BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    content  BLOB NOT NULL CHECK (length(content) = 32), -- SHA-256 of the body
    hash     BLOB NOT NULL CHECK (length(hash) = 32),
    body     TEXT,                                       -- canonical bytes; NULL once they are erased
    act      TEXT GENERATED ALWAYS AS (body ->> '$.act') VIRTUAL,
    site     TEXT GENERATED ALWAYS AS (body ->> '$.site') VIRTUAL,
    consent  TEXT GENERATED ALWAYS AS (body ->> '$.consent') VIRTUAL,
    method   TEXT GENERATED ALWAYS AS (body ->> '$.method') VIRTUAL,
    time     TEXT GENERATED ALWAYS AS (body ->> '$.time') VIRTUAL,
    PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_consent ON record (consent, time) WHERE consent IS NOT NULL;
CREATE INDEX record_time ON record (time) WHERE time IS NOT NULL;
