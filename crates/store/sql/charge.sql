-- name: charge_get
SELECT {charge} FROM charge WHERE item_id = ?1 AND charge_no = ?2
-- name: charge_insert
INSERT INTO charge ({charge}) VALUES ({charge.values}) ON CONFLICT DO NOTHING
-- name: charge_of_item
SELECT {charge} FROM charge WHERE item_id = ?1 ORDER BY charge_no
-- name: charge_set_posting
UPDATE charge SET {charge.set} WHERE {charge.same}
-- name: charge_page
SELECT {charge} FROM charge WHERE (item_id, charge_no) > (?1, ?2)
ORDER BY item_id, charge_no LIMIT ?3
-- name: charge_all
SELECT {charge} FROM charge ORDER BY item_id, charge_no
