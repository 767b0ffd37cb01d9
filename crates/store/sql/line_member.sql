-- name: line_member_get
SELECT {line_member} FROM line_member WHERE item_id = ?1 AND charge_no = ?2
-- name: line_member_insert
INSERT INTO line_member ({line_member}) VALUES ({line_member.values}) ON CONFLICT DO NOTHING
-- name: line_member_move
UPDATE line_member SET {line_member.set} WHERE {line_member.same}
-- name: line_member_of_item
SELECT {line_member} FROM line_member WHERE item_id = ?1 ORDER BY charge_no
-- The members of a line that no charge takes back.
-- name: line_member_standing
SELECT {line_member} FROM line_member WHERE line_id = ?1 AND NOT EXISTS (
    SELECT 1 FROM charge WHERE charge.item_id = line_member.item_id AND charge.reverses = line_member.charge_no)
ORDER BY item_id, charge_no
-- name: line_member_all
SELECT {line_member} FROM line_member ORDER BY item_id, charge_no
