-- As that of SQLite; what is looked for is taken out of the canonical bytes by the database itself.
CREATE TABLE chain (
    id    bytea PRIMARY KEY CHECK (length(id) = 16),
    first bigint NOT NULL DEFAULT 0,                     -- the position of the first entry that was not purged
    base  bytea NOT NULL CHECK (length(base) = 32),      -- what that is linked to
    next  bigint NOT NULL DEFAULT 0,
    head  bytea NOT NULL CHECK (length(head) = 32)       -- the hash of the last entry
);

CREATE TABLE record (
    chain    bytea NOT NULL REFERENCES chain (id),
    position bigint NOT NULL,
    id       bytea NOT NULL UNIQUE CHECK (length(id) = 16),
    content  bytea NOT NULL CHECK (length(content) = 32), -- SHA-256 of the body
    hash     bytea NOT NULL CHECK (length(hash) = 32),
    body     text,                                        -- canonical bytes; NULL once they are erased
    act      text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'act') STORED,
    site     text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'site') STORED,
    consent  text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'consent') STORED,
    method   text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'method') STORED,
    time     text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'time') STORED,
    PRIMARY KEY (chain, position)
);

CREATE INDEX record_consent ON record (consent, time) WHERE consent IS NOT NULL;
CREATE INDEX record_time ON record (time) WHERE time IS NOT NULL;
