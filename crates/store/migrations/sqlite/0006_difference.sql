-- A line can be the difference to an issued one. SQLite changes no constraint in place: the tables
-- are written anew, which takes some seconds per million postings.
CREATE TABLE posting_new (
    document_id    BLOB NOT NULL,
    posting_no     INTEGER NOT NULL,
    posting_key    TEXT NOT NULL,
    line_key       TEXT NOT NULL,
    item_id        BLOB NOT NULL,
    charge_no      INTEGER NOT NULL,
    effect         INTEGER NOT NULL,
    kind           TEXT NOT NULL CONSTRAINT posting_kind CHECK (kind IN ('create_line', 'replace_line', 'delete_line', 'credit', 'difference', 'void')),
    amends         INTEGER,
    amends_document BLOB,
    state          TEXT NOT NULL CONSTRAINT posting_state CHECK (state IN ('ready', 'held', 'waiting', 'posted', 'rejected', 'cancelled', 'missing', 'altered', 'superseded')),
    code           TEXT,
    due_at_us      INTEGER NOT NULL,
    tries          INTEGER NOT NULL,
    quantity_micro INTEGER NOT NULL,
    rate_micro     INTEGER NOT NULL,
    amount_minor   INTEGER NOT NULL,
    posting_date   TEXT NOT NULL,
    erp_line_ref   TEXT,
    fact_block     INTEGER,
    fact_ord       INTEGER,
    changed_at_us  INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    CONSTRAINT posting_pk PRIMARY KEY (document_id, posting_no),
    CONSTRAINT posting_ref CHECK (state <> 'posted' OR erp_line_ref IS NOT NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO posting_new SELECT * FROM posting;
DROP TABLE posting;
ALTER TABLE posting_new RENAME TO posting;
CREATE INDEX posting_problem ON posting (state, code) WHERE state IN ('rejected', 'missing', 'altered', 'held');

CREATE TABLE attempt_new (
    attempt_id       BLOB NOT NULL CONSTRAINT attempt_pk PRIMARY KEY CONSTRAINT attempt_id_16 CHECK (length(attempt_id) = 16),
    document_id      BLOB NOT NULL,
    attempt_key      TEXT NOT NULL,
    verb             TEXT NOT NULL CONSTRAINT attempt_verb CHECK (verb IN ('create', 'replace', 'delete', 'credit', 'difference', 'void')),
    state            TEXT NOT NULL CONSTRAINT attempt_state CHECK (state IN ('sending', 'ambiguous', 'settled')),
    members          BLOB NOT NULL,
    payload_digest   BLOB NOT NULL CONSTRAINT attempt_payload_32 CHECK (length(payload_digest) = 32),
    writer_no        INTEGER NOT NULL,
    started_at_us    INTEGER NOT NULL,
    send_not_after_us INTEGER NOT NULL,
    call_timeout_ms  INTEGER NOT NULL,
    look_up_after_us INTEGER NOT NULL,
    settled_at_us    INTEGER,
    outcome          TEXT,
    fact_block       INTEGER,
    fact_ord         INTEGER,
    version          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_new SELECT * FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_new RENAME TO attempt;
CREATE UNIQUE INDEX attempt_open ON attempt (document_id) WHERE state <> 'settled';
