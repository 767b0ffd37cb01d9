-- name: document_get
SELECT {document} FROM document WHERE document_id = ?1
-- name: document_latest
SELECT {document} FROM document WHERE flow = ?1 AND shape = ?2 AND entity = ?3 AND bill_to = ?4
AND currency = ?5 AND group_key = ?6 AND period = ?7 ORDER BY generation DESC LIMIT 1
-- name: document_insert
INSERT INTO document ({document}) VALUES ({document.values}) ON CONFLICT DO NOTHING
-- name: document_update
UPDATE document SET {document.set} WHERE {document.same}
-- name: document_due
SELECT {document} FROM document WHERE unsettled > 0 AND due_at_us <= ?1 ORDER BY due_at_us LIMIT ?2
-- name: document_next_due
SELECT due_at_us FROM document WHERE unsettled > 0 AND due_at_us > ?1 ORDER BY due_at_us LIMIT 1
-- name: document_page
SELECT {document} FROM document WHERE document_id > ?1 ORDER BY document_id LIMIT ?2
-- name: document_all
SELECT {document} FROM document ORDER BY document_id
-- name: guard_document
SELECT version FROM document WHERE document_id = ?1
-- What the postings say about each document's count; only differences come back.
-- name: document_miscounted
SELECT document.document_id, document.unsettled, count(posting.posting_no)
FROM document LEFT JOIN posting ON posting.document_id = document.document_id
AND posting.state IN ('ready', 'waiting', 'held')
GROUP BY document.document_id, document.unsettled
HAVING document.unsettled <> count(posting.posting_no) ORDER BY document.document_id
