-- The ledger. Narrow rows; whatever is long or names people lives sealed in blocks and is
-- pointed at by (block_writer, block_seq, ordinal), packed as one INTEGER pair per fact:
-- `*_block` is writer_no * 2^40 + writer_seq, `*_ord` is the ordinal inside that block.
-- Times are microseconds since the Unix epoch (UTC), dates are ISO text, money is minor units,
-- rates and quantities are scaled by 10^6, booleans are 0 or 1.
-- Every audited row carries `version`, counted from 1 without gaps: the audit leaf of each change
-- bears the same number and a digest of the whole row, so that `audit verify` names a changed byte.

-- Facts about this database: schema facts, ledger digest, fingerprint key, switches.
CREATE TABLE setting (
    name    TEXT NOT NULL CONSTRAINT setting_pk PRIMARY KEY,
    value   TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per writer session. It is the audit chain, the outbox order and the fence at once.
CREATE TABLE writer (
    writer_no     INTEGER NOT NULL CONSTRAINT writer_pk PRIMARY KEY,
    node          TEXT NOT NULL,
    started_at_us INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    head          BLOB NOT NULL CONSTRAINT writer_head_32 CHECK (length(head) = 32),
    fenced        INTEGER NOT NULL CONSTRAINT writer_fenced_bool CHECK (fenced IN (0, 1)),
    version       INTEGER NOT NULL
) STRICT;

-- Append-only: what one transaction had to say, in one row. `kind` is 'tx' for the audit leaves,
-- events and sealed facts of a transaction.
CREATE TABLE block (
    writer_no     INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    written_at_us INTEGER NOT NULL,
    previous      BLOB NOT NULL CONSTRAINT block_previous_32 CHECK (length(previous) = 32),
    digest        BLOB NOT NULL CONSTRAINT block_digest_32 CHECK (length(digest) = 32),
    body          BLOB NOT NULL,
    CONSTRAINT block_pk PRIMARY KEY (writer_no, seq)
) STRICT, WITHOUT ROWID;

-- Data keys of sealed text, wrapped by the key-encryption key: an empty one is a shredded unit.
CREATE TABLE seal_key (
    unit          TEXT NOT NULL CONSTRAINT seal_key_pk PRIMARY KEY,
    wrapped       BLOB NOT NULL,
    created_at_us INTEGER NOT NULL,
    version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counters as deltas per writer, summed when read.
CREATE TABLE counter (
    name      TEXT NOT NULL,
    writer_no INTEGER NOT NULL,
    value     INTEGER NOT NULL,
    CONSTRAINT counter_pk PRIMARY KEY (name, writer_no)
) STRICT, WITHOUT ROWID;

-- Immutable versions of reference data: masters, crosswalk, contracts, rates.
CREATE TABLE snapshot (
    version       INTEGER NOT NULL CONSTRAINT snapshot_pk PRIMARY KEY,
    digest        BLOB NOT NULL CONSTRAINT snapshot_digest_32 CHECK (length(digest) = 32),
    created_at_us INTEGER NOT NULL,
    body          BLOB NOT NULL
) STRICT;

-- A finished or running look at a source.
CREATE TABLE scan (
    scan_no        INTEGER NOT NULL CONSTRAINT scan_pk PRIMARY KEY,
    source         TEXT NOT NULL,
    window_from    TEXT NOT NULL,
    window_to      TEXT NOT NULL,
    started_at_us  INTEGER NOT NULL,
    finished_at_us INTEGER,
    rows_seen      INTEGER NOT NULL,
    version        INTEGER NOT NULL
) STRICT;

-- A billable item: what the source holds, as last admitted. `item_id` is derived from ledger,
-- source and source reference, so that the primary key alone refuses a second copy.
CREATE TABLE item (
    item_id             BLOB NOT NULL CONSTRAINT item_pk PRIMARY KEY CONSTRAINT item_id_16 CHECK (length(item_id) = 16),
    source              TEXT NOT NULL,
    source_ref          TEXT NOT NULL,
    flow                TEXT NOT NULL,
    kind                TEXT NOT NULL CONSTRAINT item_kind CHECK (kind IN ('labor', 'expense', 'milestone', 'schedule', 'adjustment')),
    entity              TEXT NOT NULL,
    business_unit       TEXT NOT NULL,
    revision            INTEGER NOT NULL,
    fingerprint         BLOB NOT NULL CONSTRAINT item_fingerprint_16 CHECK (length(fingerprint) = 16),
    fingerprint_version INTEGER NOT NULL,
    state               TEXT NOT NULL CONSTRAINT item_state CHECK (state IN ('waiting', 'exception', 'booked', 'withdrawn', 'elsewhere')),
    code                TEXT,
    worker              TEXT NOT NULL,
    project             TEXT NOT NULL,
    task                TEXT NOT NULL,
    work_date           TEXT NOT NULL,
    zone                TEXT NOT NULL,
    recorded_seconds    INTEGER NOT NULL,
    approved            INTEGER NOT NULL CONSTRAINT item_approved_bool CHECK (approved IN (0, 1)),
    billable            INTEGER NOT NULL CONSTRAINT item_billable_bool CHECK (billable IN (0, 1)),
    effect_next         INTEGER NOT NULL,
    charge_next         INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    changed_at_us       INTEGER NOT NULL,
    content_block       INTEGER NOT NULL,
    content_ord         INTEGER NOT NULL,
    fact_block          INTEGER,
    fact_ord            INTEGER,
    CONSTRAINT item_code CHECK ((state = 'exception') = (code IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX item_window ON item (source, work_date);
CREATE INDEX item_open_exception ON item (state, code) WHERE state = 'exception';

-- Priced results, one per part of an item. Never edited: a change is a reversal and a replacement,
-- linked. Only the pointer to the posting that carries the charge to the ERP is set later.
CREATE TABLE charge (
    item_id          BLOB NOT NULL,
    charge_no        INTEGER NOT NULL,
    reverses         INTEGER,
    revision         INTEGER NOT NULL,
    part             INTEGER NOT NULL CONSTRAINT charge_part CHECK (part >= 0),
    disposition      TEXT NOT NULL CONSTRAINT charge_disposition CHECK (disposition IN ('bill', 'cost', 'drawn', 'allowance', 'written_off', 'held')),
    contract         TEXT NOT NULL,
    quantity_micro   INTEGER NOT NULL,
    unit             TEXT NOT NULL,
    rate_micro       INTEGER NOT NULL,
    currency         TEXT NOT NULL,
    amount_minor     INTEGER NOT NULL,
    value_minor      INTEGER NOT NULL,
    cost_rate_micro  INTEGER NOT NULL,
    cost_currency    TEXT NOT NULL,
    cost_minor       INTEGER NOT NULL,
    work_date        TEXT NOT NULL,
    posting_date     TEXT NOT NULL,
    pricing_version  INTEGER NOT NULL,
    snapshot_version INTEGER NOT NULL,
    inputs_digest    BLOB NOT NULL CONSTRAINT charge_inputs_32 CHECK (length(inputs_digest) = 32),
    explain_block    INTEGER NOT NULL,
    explain_ord      INTEGER NOT NULL,
    document_id      BLOB,
    posting_no       INTEGER,
    created_at_us    INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    CONSTRAINT charge_pk PRIMARY KEY (item_id, charge_no)
) STRICT, WITHOUT ROWID;

-- Where charges meet the ERP: one draft invoice, or one stream of cost lines.
CREATE TABLE document (
    document_id     BLOB NOT NULL CONSTRAINT document_pk PRIMARY KEY CONSTRAINT document_id_16 CHECK (length(document_id) = 16),
    flow            TEXT NOT NULL,
    shape           TEXT NOT NULL CONSTRAINT document_shape CHECK (shape IN ('draft_line', 'timesheet', 'cost')),
    entity          TEXT NOT NULL,
    bill_to         TEXT NOT NULL,
    currency        TEXT NOT NULL,
    group_key       TEXT NOT NULL,
    period          TEXT NOT NULL,
    generation      INTEGER NOT NULL,
    target_identity TEXT NOT NULL,
    document_key    TEXT NOT NULL,
    state           TEXT NOT NULL CONSTRAINT document_state CHECK (state IN ('open', 'draft', 'issued', 'paid', 'credited', 'void', 'missing')),
    erp_ref         TEXT,
    erp_number      TEXT,
    posting_next    INTEGER NOT NULL,
    unsettled       INTEGER NOT NULL CONSTRAINT document_unsettled CHECK (unsettled >= 0),
    due_at_us       INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    changed_at_us   INTEGER NOT NULL,
    CONSTRAINT document_key_unique UNIQUE (flow, shape, entity, bill_to, currency, group_key, period, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_work ON document (due_at_us) WHERE unsettled > 0;

-- What is asked of the ERP for one item, clustered by document. 'sending' and 'ambiguous' are
-- states of the document's open attempt, whose membership is frozen, so that a claim writes one
-- row a batch and not one row a line.
CREATE TABLE posting (
    document_id    BLOB NOT NULL,
    posting_no     INTEGER NOT NULL,
    posting_key    TEXT NOT NULL,
    line_key       TEXT NOT NULL,
    item_id        BLOB NOT NULL,
    charge_no      INTEGER NOT NULL,
    effect         INTEGER NOT NULL,
    kind           TEXT NOT NULL CONSTRAINT posting_kind CHECK (kind IN ('create_line', 'replace_line', 'delete_line', 'credit', 'void')),
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
CREATE INDEX posting_problem ON posting (state, code) WHERE state IN ('rejected', 'missing', 'altered', 'held');

-- One call to the ERP. At most one open attempt per document.
CREATE TABLE attempt (
    attempt_id       BLOB NOT NULL CONSTRAINT attempt_pk PRIMARY KEY CONSTRAINT attempt_id_16 CHECK (length(attempt_id) = 16),
    document_id      BLOB NOT NULL,
    attempt_key      TEXT NOT NULL,
    verb             TEXT NOT NULL CONSTRAINT attempt_verb CHECK (verb IN ('create', 'replace', 'delete', 'credit', 'void')),
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
CREATE UNIQUE INDEX attempt_open ON attempt (document_id) WHERE state <> 'settled';

-- What the source has been told about an item, and what it should be told. `told` leads the key,
-- so that what is still to be told lies together and no index is written at outcome; an item has
-- one row, on either side.
CREATE TABLE feedback (
    item_id       BLOB NOT NULL CONSTRAINT feedback_item_16 CHECK (length(item_id) = 16),
    status        TEXT NOT NULL,
    reference     TEXT NOT NULL,
    told          INTEGER NOT NULL CONSTRAINT feedback_told_bool CHECK (told IN (0, 1)),
    tries         INTEGER NOT NULL,
    due_at_us     INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    CONSTRAINT feedback_pk PRIMARY KEY (told, item_id)
) STRICT, WITHOUT ROWID;

-- Spent permits of a limit domain, so that a restart does not forget a spent quota.
CREATE TABLE limit_state (
    domain        TEXT NOT NULL CONSTRAINT limit_state_pk PRIMARY KEY,
    body          TEXT NOT NULL,
    changed_at_us INTEGER NOT NULL,
    version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
