-- The ledger. Narrow rows; whatever is long or names people lives sealed in blocks and is
-- pointed at by (block_writer, block_seq, ordinal), packed as one BIGINT pair per fact:
-- `*_block` is writer_no * 2^40 + writer_seq, `*_ord` is the ordinal inside that block.
-- Times are microseconds since the Unix epoch (UTC), dates are ISO text, money is minor units,
-- rates and quantities are scaled by 10^6, booleans are 0 or 1.
-- Every audited row carries `version`, counted from 1 without gaps: the audit leaf of each change
-- bears the same number and a digest of the whole row, so that `audit verify` names a changed byte.

-- Facts about this database: schema facts, ledger digest, fingerprint key, switches.
CREATE TABLE setting (
    name    TEXT COLLATE "C" NOT NULL CONSTRAINT setting_pk PRIMARY KEY,
    value   TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL
);

-- One row per writer session. It is the audit chain, the outbox order and the fence at once.
CREATE TABLE writer (
    writer_no     BIGINT NOT NULL CONSTRAINT writer_pk PRIMARY KEY,
    node          TEXT COLLATE "C" NOT NULL,
    started_at_us BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    head          BYTEA NOT NULL CONSTRAINT writer_head_32 CHECK (length(head) = 32),
    fenced        BIGINT NOT NULL CONSTRAINT writer_fenced_bool CHECK (fenced IN (0, 1)),
    version       BIGINT NOT NULL
);

-- Append-only: what one transaction had to say, in one row. `kind` is 'tx' for the audit leaves,
-- events and sealed facts of a transaction.
CREATE TABLE block (
    writer_no     BIGINT NOT NULL,
    seq           BIGINT NOT NULL,
    written_at_us BIGINT NOT NULL,
    previous      BYTEA NOT NULL CONSTRAINT block_previous_32 CHECK (length(previous) = 32),
    digest        BYTEA NOT NULL CONSTRAINT block_digest_32 CHECK (length(digest) = 32),
    body          BYTEA NOT NULL,
    CONSTRAINT block_pk PRIMARY KEY (writer_no, seq)
);

-- Data keys of sealed text, wrapped by the key-encryption key: an empty one is a shredded unit.
CREATE TABLE seal_key (
    unit          TEXT COLLATE "C" NOT NULL CONSTRAINT seal_key_pk PRIMARY KEY,
    wrapped       BYTEA NOT NULL,
    created_at_us BIGINT NOT NULL,
    version       BIGINT NOT NULL
);

-- Counters as deltas per writer, summed when read.
CREATE TABLE counter (
    name      TEXT COLLATE "C" NOT NULL,
    writer_no BIGINT NOT NULL,
    value     BIGINT NOT NULL,
    CONSTRAINT counter_pk PRIMARY KEY (name, writer_no)
);

-- Immutable versions of reference data: masters, crosswalk, contracts, rates.
CREATE TABLE snapshot (
    version       BIGINT NOT NULL CONSTRAINT snapshot_pk PRIMARY KEY,
    digest        BYTEA NOT NULL CONSTRAINT snapshot_digest_32 CHECK (length(digest) = 32),
    created_at_us BIGINT NOT NULL,
    body          BYTEA NOT NULL
);

-- A finished or running look at a source.
CREATE TABLE scan (
    scan_no        BIGINT NOT NULL CONSTRAINT scan_pk PRIMARY KEY,
    source         TEXT COLLATE "C" NOT NULL,
    window_from    TEXT COLLATE "C" NOT NULL,
    window_to      TEXT COLLATE "C" NOT NULL,
    started_at_us  BIGINT NOT NULL,
    finished_at_us BIGINT,
    rows_seen      BIGINT NOT NULL,
    version        BIGINT NOT NULL
);

-- A billable item: what the source holds, as last admitted. `item_id` is derived from ledger,
-- source and source reference, so that the primary key alone refuses a second copy.
CREATE TABLE item (
    item_id             BYTEA NOT NULL CONSTRAINT item_pk PRIMARY KEY CONSTRAINT item_id_16 CHECK (length(item_id) = 16),
    source              TEXT COLLATE "C" NOT NULL,
    source_ref          TEXT COLLATE "C" NOT NULL,
    flow                TEXT COLLATE "C" NOT NULL,
    kind                TEXT COLLATE "C" NOT NULL CONSTRAINT item_kind CHECK (kind IN ('labor', 'expense', 'milestone', 'schedule', 'adjustment')),
    entity              TEXT COLLATE "C" NOT NULL,
    business_unit       TEXT COLLATE "C" NOT NULL,
    revision            BIGINT NOT NULL,
    fingerprint         BYTEA NOT NULL CONSTRAINT item_fingerprint_16 CHECK (length(fingerprint) = 16),
    fingerprint_version BIGINT NOT NULL,
    state               TEXT COLLATE "C" NOT NULL CONSTRAINT item_state CHECK (state IN ('waiting', 'exception', 'booked', 'withdrawn', 'elsewhere')),
    code                TEXT COLLATE "C",
    worker              TEXT COLLATE "C" NOT NULL,
    project             TEXT COLLATE "C" NOT NULL,
    task                TEXT COLLATE "C" NOT NULL,
    work_date           TEXT COLLATE "C" NOT NULL,
    zone                TEXT COLLATE "C" NOT NULL,
    recorded_seconds    BIGINT NOT NULL,
    approved            BIGINT NOT NULL CONSTRAINT item_approved_bool CHECK (approved IN (0, 1)),
    billable            BIGINT NOT NULL CONSTRAINT item_billable_bool CHECK (billable IN (0, 1)),
    effect_next         BIGINT NOT NULL,
    charge_next         BIGINT NOT NULL,
    version             BIGINT NOT NULL,
    changed_at_us       BIGINT NOT NULL,
    content_block       BIGINT NOT NULL,
    content_ord         BIGINT NOT NULL,
    fact_block          BIGINT,
    fact_ord            BIGINT,
    CONSTRAINT item_code CHECK ((state = 'exception') = (code IS NOT NULL))
);
CREATE INDEX item_window ON item (source, work_date);
CREATE INDEX item_open_exception ON item (state, code) WHERE state = 'exception';

-- Priced results, one per part of an item. Never edited: a change is a reversal and a replacement,
-- linked. Only the pointer to the posting that carries the charge to the ERP is set later.
CREATE TABLE charge (
    item_id          BYTEA NOT NULL,
    charge_no        BIGINT NOT NULL,
    reverses         BIGINT,
    revision         BIGINT NOT NULL,
    part             BIGINT NOT NULL CONSTRAINT charge_part CHECK (part >= 0),
    disposition      TEXT COLLATE "C" NOT NULL CONSTRAINT charge_disposition CHECK (disposition IN ('bill', 'cost', 'drawn', 'allowance', 'written_off', 'held')),
    contract         TEXT COLLATE "C" NOT NULL,
    quantity_micro   BIGINT NOT NULL,
    unit             TEXT COLLATE "C" NOT NULL,
    rate_micro       BIGINT NOT NULL,
    currency         TEXT COLLATE "C" NOT NULL,
    amount_minor     BIGINT NOT NULL,
    value_minor      BIGINT NOT NULL,
    cost_rate_micro  BIGINT NOT NULL,
    cost_currency    TEXT COLLATE "C" NOT NULL,
    cost_minor       BIGINT NOT NULL,
    work_date        TEXT COLLATE "C" NOT NULL,
    posting_date     TEXT COLLATE "C" NOT NULL,
    pricing_version  BIGINT NOT NULL,
    snapshot_version BIGINT NOT NULL,
    inputs_digest    BYTEA NOT NULL CONSTRAINT charge_inputs_32 CHECK (length(inputs_digest) = 32),
    explain_block    BIGINT NOT NULL,
    explain_ord      BIGINT NOT NULL,
    document_id      BYTEA,
    posting_no       BIGINT,
    created_at_us    BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    CONSTRAINT charge_pk PRIMARY KEY (item_id, charge_no)
);

-- Where charges meet the ERP: one draft invoice, or one stream of cost lines.
CREATE TABLE document (
    document_id     BYTEA NOT NULL CONSTRAINT document_pk PRIMARY KEY CONSTRAINT document_id_16 CHECK (length(document_id) = 16),
    flow            TEXT COLLATE "C" NOT NULL,
    shape           TEXT COLLATE "C" NOT NULL CONSTRAINT document_shape CHECK (shape IN ('draft_line', 'timesheet', 'cost')),
    entity          TEXT COLLATE "C" NOT NULL,
    bill_to         TEXT COLLATE "C" NOT NULL,
    currency        TEXT COLLATE "C" NOT NULL,
    group_key       TEXT COLLATE "C" NOT NULL,
    period          TEXT COLLATE "C" NOT NULL,
    generation      BIGINT NOT NULL,
    target_identity TEXT COLLATE "C" NOT NULL,
    document_key    TEXT COLLATE "C" NOT NULL,
    state           TEXT COLLATE "C" NOT NULL CONSTRAINT document_state CHECK (state IN ('open', 'draft', 'issued', 'paid', 'credited', 'void', 'missing')),
    erp_ref         TEXT COLLATE "C",
    erp_number      TEXT COLLATE "C",
    posting_next    BIGINT NOT NULL,
    unsettled       BIGINT NOT NULL CONSTRAINT document_unsettled CHECK (unsettled >= 0),
    due_at_us       BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    changed_at_us   BIGINT NOT NULL,
    CONSTRAINT document_key_unique UNIQUE (flow, shape, entity, bill_to, currency, group_key, period, generation)
);
CREATE INDEX document_work ON document (due_at_us) WHERE unsettled > 0;

-- What is asked of the ERP for one item, clustered by document. 'sending' and 'ambiguous' are
-- states of the document's open attempt, whose membership is frozen, so that a claim writes one
-- row a batch and not one row a line.
CREATE TABLE posting (
    document_id    BYTEA NOT NULL,
    posting_no     BIGINT NOT NULL,
    posting_key    TEXT COLLATE "C" NOT NULL,
    line_key       TEXT COLLATE "C" NOT NULL,
    item_id        BYTEA NOT NULL,
    charge_no      BIGINT NOT NULL,
    effect         BIGINT NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL CONSTRAINT posting_kind CHECK (kind IN ('create_line', 'replace_line', 'delete_line', 'credit', 'void')),
    amends         BIGINT,
    amends_document BYTEA,
    state          TEXT COLLATE "C" NOT NULL CONSTRAINT posting_state CHECK (state IN ('ready', 'held', 'waiting', 'posted', 'rejected', 'cancelled', 'missing', 'altered', 'superseded')),
    code           TEXT COLLATE "C",
    due_at_us      BIGINT NOT NULL,
    tries          BIGINT NOT NULL,
    quantity_micro BIGINT NOT NULL,
    rate_micro     BIGINT NOT NULL,
    amount_minor   BIGINT NOT NULL,
    posting_date   TEXT COLLATE "C" NOT NULL,
    erp_line_ref   TEXT COLLATE "C",
    fact_block     BIGINT,
    fact_ord       BIGINT,
    changed_at_us  BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    CONSTRAINT posting_pk PRIMARY KEY (document_id, posting_no),
    CONSTRAINT posting_ref CHECK (state <> 'posted' OR erp_line_ref IS NOT NULL)
);
CREATE INDEX posting_problem ON posting (state, code) WHERE state IN ('rejected', 'missing', 'altered', 'held');

-- One call to the ERP. At most one open attempt per document.
CREATE TABLE attempt (
    attempt_id       BYTEA NOT NULL CONSTRAINT attempt_pk PRIMARY KEY CONSTRAINT attempt_id_16 CHECK (length(attempt_id) = 16),
    document_id      BYTEA NOT NULL,
    attempt_key      TEXT COLLATE "C" NOT NULL,
    verb             TEXT COLLATE "C" NOT NULL CONSTRAINT attempt_verb CHECK (verb IN ('create', 'replace', 'delete', 'credit', 'void')),
    state            TEXT COLLATE "C" NOT NULL CONSTRAINT attempt_state CHECK (state IN ('sending', 'ambiguous', 'settled')),
    members          BYTEA NOT NULL,
    payload_digest   BYTEA NOT NULL CONSTRAINT attempt_payload_32 CHECK (length(payload_digest) = 32),
    writer_no        BIGINT NOT NULL,
    started_at_us    BIGINT NOT NULL,
    send_not_after_us BIGINT NOT NULL,
    call_timeout_ms  BIGINT NOT NULL,
    look_up_after_us BIGINT NOT NULL,
    settled_at_us    BIGINT,
    outcome          TEXT COLLATE "C",
    fact_block       BIGINT,
    fact_ord         BIGINT,
    version          BIGINT NOT NULL
);
CREATE UNIQUE INDEX attempt_open ON attempt (document_id) WHERE state <> 'settled';

-- What the source has been told about an item, and what it should be told. `told` leads the key,
-- so that what is still to be told lies together and no index is written at outcome; an item has
-- one row, on either side.
CREATE TABLE feedback (
    item_id       BYTEA NOT NULL CONSTRAINT feedback_item_16 CHECK (length(item_id) = 16),
    status        TEXT COLLATE "C" NOT NULL,
    reference     TEXT COLLATE "C" NOT NULL,
    told          BIGINT NOT NULL CONSTRAINT feedback_told_bool CHECK (told IN (0, 1)),
    tries         BIGINT NOT NULL,
    due_at_us     BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    CONSTRAINT feedback_pk PRIMARY KEY (told, item_id)
);

-- Spent permits of a limit domain, so that a restart does not forget a spent quota.
CREATE TABLE limit_state (
    domain        TEXT COLLATE "C" NOT NULL CONSTRAINT limit_state_pk PRIMARY KEY,
    body          TEXT COLLATE "C" NOT NULL,
    changed_at_us BIGINT NOT NULL,
    version       BIGINT NOT NULL
);
