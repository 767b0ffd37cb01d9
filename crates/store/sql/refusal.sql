-- name: refusal_get
SELECT {refusal} FROM refusal WHERE item_id = ?1
-- name: refusal_insert
INSERT INTO refusal ({refusal}) VALUES ({refusal.values}) ON CONFLICT DO NOTHING
-- name: refusal_update
UPDATE refusal SET {refusal.set} WHERE {refusal.same}
-- name: refusal_all
SELECT {refusal} FROM refusal ORDER BY item_id
