-- What the accounts of contracts have granted: limits, retainers, hour banks. One row a contract.
CREATE TABLE account (
    contract      TEXT COLLATE "C" NOT NULL CONSTRAINT account_pk PRIMARY KEY,
    body          TEXT COLLATE "C" NOT NULL,
    changed_at_us BIGINT NOT NULL,
    version       BIGINT NOT NULL
);

-- Pricing a week asks for one worker's days: the same index, one column longer. Rebuilding it locks
-- the table for about a second per million items.
DROP INDEX item_window;
CREATE INDEX item_window ON item (source, work_date, worker);
