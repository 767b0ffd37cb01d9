-- name: limit_get
SELECT {limit_state} FROM limit_state WHERE domain = ?1
-- name: limit_list
SELECT {limit_state} FROM limit_state ORDER BY domain
-- name: limit_insert
INSERT INTO limit_state ({limit_state}) VALUES ({limit_state.values}) ON CONFLICT DO NOTHING
-- name: limit_update
UPDATE limit_state SET {limit_state.set} WHERE {limit_state.same}
-- name: limit_state_all
SELECT {limit_state} FROM limit_state ORDER BY domain
-- name: guard_limit
SELECT version FROM limit_state WHERE domain = ?1
