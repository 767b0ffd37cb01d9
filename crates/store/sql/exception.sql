-- Ambiguous attempts stand in no table of problems: the partial index of open attempts finds them.
-- name: exception_list
SELECT * FROM (
SELECT 'item' AS subject, code, state, item_id, CAST(NULL AS BYTEA) AS document_id,
CAST(NULL AS BIGINT) AS posting_no, CAST(NULL AS BYTEA) AS attempt_id,
CAST(NULL AS BIGINT) AS amount_minor, changed_at_us AS since_us, fact_block, fact_ord,
CAST(NULL AS TEXT) AS line_key
FROM item WHERE state = 'exception'
UNION ALL
SELECT 'posting', coalesce(code, state), state, item_id, document_id, posting_no,
CAST(NULL AS BYTEA), amount_minor, changed_at_us, fact_block, fact_ord,
CAST(NULL AS TEXT)
FROM posting WHERE state IN ('rejected', 'missing', 'altered', 'held')
UNION ALL
SELECT 'refusal', 'TRACKER_REFUSED', 'refused', item_id, CAST(NULL AS BYTEA), CAST(NULL AS BIGINT),
CAST(NULL AS BYTEA), CAST(NULL AS BIGINT), since_us, fact_block, fact_ord,
CAST(NULL AS TEXT)
FROM refusal WHERE open = 1
UNION ALL
SELECT 'stray', 'LINE_NOT_IN_LEDGER', 'open', item_id, CAST(NULL AS BYTEA), CAST(NULL AS BIGINT),
CAST(NULL AS BYTEA), amount_minor, since_us, fact_block, fact_ord, line_key
FROM stray WHERE open = 1
UNION ALL
SELECT 'attempt', 'ANSWER_UNKNOWN', state, CAST(NULL AS BYTEA), document_id, CAST(NULL AS BIGINT),
attempt_id, CAST(NULL AS BIGINT), started_at_us, fact_block, fact_ord,
CAST(NULL AS TEXT)
FROM attempt WHERE state <> 'settled' AND state = 'ambiguous'
) AS exception WHERE ?1 = '' OR code = ?1
ORDER BY since_us, subject, item_id, document_id, posting_no, attempt_id, line_key LIMIT ?2 OFFSET ?3
-- name: exception_count
SELECT code, CAST(sum(cases) AS BIGINT) FROM (
SELECT code, count(*) AS cases FROM item WHERE state = 'exception' GROUP BY code
UNION ALL
SELECT coalesce(code, state), count(*) FROM posting
WHERE state IN ('rejected', 'missing', 'altered', 'held') GROUP BY coalesce(code, state)
UNION ALL
SELECT 'TRACKER_REFUSED', count(*) FROM refusal WHERE open = 1 HAVING count(*) > 0
UNION ALL
SELECT 'LINE_NOT_IN_LEDGER', count(*) FROM stray WHERE open = 1 HAVING count(*) > 0
UNION ALL
SELECT 'ANSWER_UNKNOWN', count(*) FROM attempt WHERE state <> 'settled' AND state = 'ambiguous'
HAVING count(*) > 0
) AS exception GROUP BY code ORDER BY code
