-- Lines that the ERP holds under keys of this ledger and that the ledger, set back by a restore, does
-- not know. Few ledgers have a row.
CREATE TABLE stray (
    line_key       TEXT NOT NULL CONSTRAINT stray_pk PRIMARY KEY,
    item_id        BLOB CONSTRAINT stray_item_16 CHECK (length(item_id) = 16),
    effect         INTEGER,
    shape          TEXT NOT NULL CONSTRAINT stray_shape CHECK (shape IN ('draft_line', 'timesheet', 'cost')),
    line_ref       TEXT NOT NULL,
    quantity_micro INTEGER NOT NULL,
    amount_minor   INTEGER,
    currency       TEXT,
    open           INTEGER NOT NULL CONSTRAINT stray_open_bool CHECK (open IN (0, 1)),
    since_us       INTEGER NOT NULL,
    fact_block     INTEGER NOT NULL,
    fact_ord       INTEGER NOT NULL,
    version        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stray_item ON stray (item_id);
CREATE INDEX stray_open ON stray (since_us) WHERE open = 1;
