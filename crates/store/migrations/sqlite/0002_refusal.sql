-- Refusals of a source to show an item's billing status. A table of its own: few items have a row,
-- and the rows of feedback keep the columns that their audit leaves were made of.
CREATE TABLE refusal (
    item_id    BLOB NOT NULL CONSTRAINT refusal_pk PRIMARY KEY CONSTRAINT refusal_item_16 CHECK (length(item_id) = 16),
    open       INTEGER NOT NULL CONSTRAINT refusal_open_bool CHECK (open IN (0, 1)),
    since_us   INTEGER NOT NULL,
    fact_block INTEGER NOT NULL,
    fact_ord   INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_open ON refusal (since_us) WHERE open = 1;
