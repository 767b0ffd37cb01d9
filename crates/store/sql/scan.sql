-- name: scan_last
SELECT scan_no FROM scan ORDER BY scan_no DESC LIMIT 1
-- name: scan_insert
INSERT INTO scan ({scan}) VALUES ({scan.values}) ON CONFLICT DO NOTHING
-- name: scan_update
UPDATE scan SET {scan.set} WHERE {scan.same}
-- name: scan_get
SELECT {scan} FROM scan WHERE scan_no = ?1
-- name: scan_last_finished
SELECT {scan} FROM scan WHERE source = ?1 AND finished_at_us IS NOT NULL ORDER BY scan_no DESC LIMIT 1
-- name: scan_recent
SELECT {scan} FROM scan ORDER BY scan_no DESC LIMIT ?1
-- name: scan_all
SELECT {scan} FROM scan ORDER BY scan_no
