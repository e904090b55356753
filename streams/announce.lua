#!lua flags=allow-oom
-- Writes a process's line in the presence list. It runs when memory has run out too: the list is
-- small, and without it every living worker would look dead.
--
-- KEYS[1]  presence list, hash
-- ARGV[1]  field
-- ARGV[2]  line, JSON

return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
