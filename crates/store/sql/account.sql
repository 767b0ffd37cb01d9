-- name: account_get
SELECT {account} FROM account WHERE contract = ?1
-- name: account_insert
INSERT INTO account ({account}) VALUES ({account.values}) ON CONFLICT DO NOTHING
-- name: account_update
UPDATE account SET {account.set} WHERE {account.same}
-- name: account_all
SELECT {account} FROM account ORDER BY contract
