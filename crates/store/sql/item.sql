-- name: item_get
SELECT {item} FROM item WHERE item_id = ?1
-- name: item_insert
INSERT INTO item ({item}) VALUES ({item.values}) ON CONFLICT DO NOTHING
-- name: item_update
UPDATE item SET {item.set} WHERE {item.same}
-- Work date and worker are in an index: only this statement rewrites its entry.
-- name: item_update_moved
UPDATE item SET {item.set}, work_date = {item:work_date}, worker = {item:worker}
WHERE item_id = {item:item_id} AND source = {item:source} AND source_ref = {item:source_ref}
AND flow = {item:flow} AND kind = {item:kind} AND version + 1 = {item:version}
-- name: item_window
SELECT item_id, source_ref, work_date, state, revision, fingerprint, fingerprint_version, version
FROM item WHERE source = ?1 AND work_date >= ?2 AND work_date <= ?3
ORDER BY work_date, worker, item_id
-- name: item_window_full
SELECT {item} FROM item WHERE source = ?1 AND work_date >= ?2 AND work_date <= ?3
ORDER BY work_date, worker, item_id
-- name: item_of_worker
SELECT {item} FROM item WHERE source = ?1 AND work_date = ?2 AND worker = ?3 ORDER BY item_id
-- name: item_next_day
SELECT work_date FROM item WHERE source = ?1 AND work_date >= ?2 ORDER BY work_date LIMIT 1
-- name: item_by_state
SELECT {item} FROM item WHERE state = ?1 AND item_id > ?2 ORDER BY item_id LIMIT ?3
-- name: item_in_exception
SELECT {item} FROM item WHERE state = 'exception' AND item_id > ?1 ORDER BY item_id LIMIT ?2
-- name: item_page
SELECT {item} FROM item WHERE item_id > ?1 ORDER BY item_id LIMIT ?2
-- name: item_all
SELECT {item} FROM item ORDER BY item_id
-- name: guard_item
SELECT version FROM item WHERE item_id = ?1
