-- name: feedback_get
SELECT {feedback} FROM feedback WHERE told IN (0, 1) AND item_id = ?1
-- name: feedback_insert
INSERT INTO feedback ({feedback}) VALUES ({feedback.values}) ON CONFLICT DO NOTHING
-- name: feedback_update
UPDATE feedback SET {feedback.set} WHERE told IN (0, 1) AND {feedback.same}
-- name: feedback_due
SELECT {feedback} FROM feedback WHERE told = 0 AND due_at_us <= ?1 ORDER BY item_id LIMIT ?2
-- name: feedback_next_due
SELECT min(due_at_us) FROM feedback WHERE told = 0 AND due_at_us > ?1
-- name: feedback_all
SELECT {feedback} FROM feedback ORDER BY told, item_id
