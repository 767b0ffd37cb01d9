-- name: total_by_contract
SELECT contract, disposition, currency, count(*), CAST(sum(quantity_micro) AS BIGINT),
CAST(sum(amount_minor) AS BIGINT) FROM charge
GROUP BY contract, disposition, currency ORDER BY contract, disposition, currency
-- name: total_without_document
SELECT contract, disposition, currency, count(*), CAST(sum(quantity_micro) AS BIGINT),
CAST(sum(amount_minor) AS BIGINT) FROM charge WHERE document_id IS NULL
GROUP BY contract, disposition, currency ORDER BY contract, disposition, currency
-- name: total_of_document
SELECT state, count(*), CAST(sum(quantity_micro) AS BIGINT), CAST(sum(amount_minor) AS BIGINT)
FROM posting WHERE document_id = ?1 GROUP BY state ORDER BY state
