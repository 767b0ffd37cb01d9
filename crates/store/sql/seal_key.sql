-- name: seal_key_wrapped
SELECT wrapped FROM seal_key WHERE unit = ?1
-- name: seal_key_get
SELECT {seal_key} FROM seal_key WHERE unit = ?1
-- name: seal_key_range
SELECT {seal_key} FROM seal_key WHERE unit >= ?1 AND unit < ?2 ORDER BY unit
-- name: seal_key_insert
INSERT INTO seal_key ({seal_key}) VALUES ({seal_key.values}) ON CONFLICT DO NOTHING
-- name: seal_key_update
UPDATE seal_key SET {seal_key.set} WHERE {seal_key.same}
-- name: seal_key_all
SELECT {seal_key} FROM seal_key ORDER BY unit
