-- name: guard_item
SELECT version FROM item WHERE item_id = ?1 FOR UPDATE
-- name: guard_document
SELECT version FROM document WHERE document_id = ?1 FOR UPDATE
-- name: guard_limit
SELECT version FROM limit_state WHERE domain = ?1 FOR UPDATE
-- What does not exist yet cannot be locked as a row.
-- name: guard_name
SELECT 1 FROM (SELECT pg_advisory_xact_lock(?1)) AS held
-- name: writer_lock
SELECT seq, head FROM writer WHERE writer_no = ?1 FOR UPDATE
-- name: writer_insert
INSERT INTO writer ({writer}, seq, head) VALUES ({writer.values}, 0,
'\x0000000000000000000000000000000000000000000000000000000000000000') ON CONFLICT DO NOTHING
-- name: migration_lock
LOCK TABLE schema_migration IN SHARE ROW EXCLUSIVE MODE
-- name: lease_clock
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + ?1::bigint * 0
