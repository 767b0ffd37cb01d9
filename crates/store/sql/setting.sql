-- name: setting_get
SELECT {setting} FROM setting WHERE name = ?1
-- name: setting_insert
INSERT INTO setting ({setting}) VALUES ({setting.values}) ON CONFLICT DO NOTHING
-- name: setting_update
UPDATE setting SET {setting.set} WHERE {setting.same}
-- name: setting_list
SELECT {setting} FROM setting ORDER BY name
-- name: setting_all
SELECT {setting} FROM setting ORDER BY name
-- name: migration_applied
SELECT number, name, checksum FROM schema_migration ORDER BY number
-- name: migration_insert
INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)
-- One writer holds SQLite anyway; PostgreSQL replaces this with a table lock.
-- name: migration_lock
DELETE FROM schema_migration WHERE number < 0
-- name: guard_name
SELECT 1 WHERE ?1 IS NOT NULL
