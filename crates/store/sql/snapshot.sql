-- name: snapshot_insert
INSERT INTO snapshot ({snapshot}) VALUES ({snapshot.values}) ON CONFLICT DO NOTHING
-- name: snapshot_get
SELECT {snapshot} FROM snapshot WHERE version = ?1
-- name: snapshot_latest
SELECT {snapshot} FROM snapshot ORDER BY version DESC LIMIT 1
-- name: snapshot_latest_version
SELECT version, digest FROM snapshot ORDER BY version DESC LIMIT 1
-- name: snapshot_all
SELECT {snapshot} FROM snapshot ORDER BY version
