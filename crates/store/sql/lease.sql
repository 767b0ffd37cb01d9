-- name: lease_get
SELECT name, node, epoch, until_us FROM lease WHERE name = ?1
-- name: lease_list
SELECT name, node, epoch, until_us FROM lease ORDER BY name
-- name: lease_put
INSERT INTO lease (name, node, epoch, until_us) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (name) DO UPDATE SET node = excluded.node, epoch = excluded.epoch, until_us = excluded.until_us
-- Whoever was fenced extends nothing: the node that took over decides now.
-- name: lease_extend
UPDATE lease SET until_us = ?4 WHERE name = ?1 AND node = ?2 AND epoch = ?3
AND EXISTS (SELECT 1 FROM writer WHERE writer_no = ?5 AND fenced = 0)
-- The clock of the database, where several nodes share one; on SQLite the process has its own.
-- name: lease_clock
SELECT ?1
