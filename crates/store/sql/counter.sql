-- name: counter_add
INSERT INTO counter (name, writer_no, value) VALUES (?1, ?2, ?3)
ON CONFLICT (name, writer_no) DO UPDATE SET value = counter.value + excluded.value
-- name: counter_get
SELECT value FROM counter WHERE name = ?1
-- name: counter_from
SELECT name, value FROM counter WHERE name >= ?1 ORDER BY name, writer_no
-- name: counter_all
SELECT name, writer_no, value FROM counter ORDER BY name, writer_no
