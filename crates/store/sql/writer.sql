-- name: writer_last
SELECT writer_no FROM writer ORDER BY writer_no DESC LIMIT 1
-- name: writer_insert
INSERT INTO writer ({writer}, seq, head) VALUES ({writer.values}, 0,
X'0000000000000000000000000000000000000000000000000000000000000000') ON CONFLICT DO NOTHING
-- name: writer_living
SELECT {writer} FROM writer WHERE fenced = 0 ORDER BY writer_no
-- name: writer_heads
SELECT writer_no, seq, head FROM writer ORDER BY writer_no
-- name: writer_fence
UPDATE writer SET {writer.set} WHERE {writer.same}
-- name: writer_advance
UPDATE writer SET seq = ?2, head = ?3 WHERE writer_no = ?1 AND seq + 1 = ?2 AND fenced = 0
-- name: writer_lock
SELECT seq, head FROM writer WHERE writer_no = ?1
-- name: writer_all
SELECT {writer} FROM writer ORDER BY writer_no
