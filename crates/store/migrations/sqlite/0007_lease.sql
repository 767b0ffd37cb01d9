-- Which node works for a limit domain, and until when. Times are by the clock of the database. An
-- extension changes nothing that could be disputed, so it is no audited row: a lease that changes
-- hands leaves a note in the chain of the session that took it.
CREATE TABLE lease (
    name     TEXT NOT NULL CONSTRAINT lease_pk PRIMARY KEY,
    node     TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    until_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
