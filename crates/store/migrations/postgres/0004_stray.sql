-- Lines that the ERP holds under keys of this ledger and that the ledger, set back by a restore, does
-- not know. Few ledgers have a row.
CREATE TABLE stray (
    line_key       TEXT COLLATE "C" NOT NULL CONSTRAINT stray_pk PRIMARY KEY,
    item_id        BYTEA CONSTRAINT stray_item_16 CHECK (length(item_id) = 16),
    effect         BIGINT,
    shape          TEXT COLLATE "C" NOT NULL CONSTRAINT stray_shape CHECK (shape IN ('draft_line', 'timesheet', 'cost')),
    line_ref       TEXT COLLATE "C" NOT NULL,
    quantity_micro BIGINT NOT NULL,
    amount_minor   BIGINT,
    currency       TEXT COLLATE "C",
    open           BIGINT NOT NULL CONSTRAINT stray_open_bool CHECK (open IN (0, 1)),
    since_us       BIGINT NOT NULL,
    fact_block     BIGINT NOT NULL,
    fact_ord       BIGINT NOT NULL,
    version        BIGINT NOT NULL
);
CREATE INDEX stray_item ON stray (item_id);
CREATE INDEX stray_open ON stray (since_us) WHERE open = 1;
