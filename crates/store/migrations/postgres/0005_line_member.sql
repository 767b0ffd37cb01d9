-- Which line bills a charge that shares one with others. A charge is a member of one line; it moves
-- to another only while no line carries it.
CREATE TABLE line_member (
    item_id   BYTEA NOT NULL CONSTRAINT line_member_item_16 CHECK (length(item_id) = 16),
    charge_no BIGINT NOT NULL,
    line_id   BYTEA NOT NULL CONSTRAINT line_member_line_16 CHECK (length(line_id) = 16),
    version   BIGINT NOT NULL,
    CONSTRAINT line_member_pk PRIMARY KEY (item_id, charge_no)
);
CREATE INDEX line_member_line ON line_member (line_id);
