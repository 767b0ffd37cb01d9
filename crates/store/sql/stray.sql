-- name: stray_get
SELECT {stray} FROM stray WHERE line_key = ?1
-- name: stray_of_item
SELECT {stray} FROM stray WHERE item_id = ?1 ORDER BY line_key
-- name: stray_insert
INSERT INTO stray ({stray}) VALUES ({stray.values}) ON CONFLICT DO NOTHING
-- name: stray_update
UPDATE stray SET {stray.set} WHERE {stray.same}
-- name: stray_all
SELECT {stray} FROM stray ORDER BY line_key
