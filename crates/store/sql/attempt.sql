-- name: attempt_get
SELECT {attempt} FROM attempt WHERE attempt_id = ?1
-- name: attempt_insert
INSERT INTO attempt ({attempt}) VALUES ({attempt.values}) ON CONFLICT DO NOTHING
-- name: attempt_update
UPDATE attempt SET {attempt.set} WHERE {attempt.same}
-- name: attempt_of_document
SELECT {attempt} FROM attempt WHERE document_id = ?1 AND state <> 'settled'
-- name: attempt_open
SELECT {attempt} FROM attempt WHERE state <> 'settled' ORDER BY document_id
-- name: attempt_of_fenced
SELECT {attempt} FROM attempt WHERE state <> 'settled' AND state = 'sending'
AND writer_no IN (SELECT writer_no FROM writer WHERE fenced = 1) ORDER BY document_id
-- name: attempt_page
SELECT {attempt} FROM attempt WHERE attempt_id > ?1 ORDER BY attempt_id LIMIT ?2
-- name: attempt_all
SELECT {attempt} FROM attempt ORDER BY attempt_id
