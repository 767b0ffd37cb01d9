-- name: posting_get
SELECT {posting} FROM posting WHERE document_id = ?1 AND posting_no = ?2
-- name: posting_insert
INSERT INTO posting ({posting}) VALUES ({posting.values}) ON CONFLICT DO NOTHING
-- name: posting_update
UPDATE posting SET {posting.set} WHERE {posting.same}
-- name: posting_of_document
SELECT {posting} FROM posting WHERE document_id = ?1 ORDER BY posting_no
-- name: posting_page_of_document
SELECT {posting} FROM posting WHERE document_id = ?1 AND posting_no > ?2 ORDER BY posting_no LIMIT ?3
-- name: posting_problems
SELECT {posting} FROM posting WHERE state IN ('rejected', 'missing', 'altered', 'held')
AND state = ?1 ORDER BY code, document_id, posting_no LIMIT ?2
-- name: posting_all
SELECT {posting} FROM posting ORDER BY document_id, posting_no
