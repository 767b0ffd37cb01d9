-- name: block_insert
INSERT INTO block (writer_no, seq, written_at_us, previous, digest, body)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
-- name: block_body
SELECT body FROM block WHERE writer_no = ?1 AND seq = ?2
-- name: block_page
SELECT writer_no, seq, written_at_us, body FROM block WHERE writer_no = ?1 AND seq > ?2
ORDER BY seq LIMIT ?3
-- name: block_all
SELECT writer_no, seq, written_at_us, previous, digest, body FROM block ORDER BY writer_no, seq
