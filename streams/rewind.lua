#!lua
-- Takes the position of a stateful worker back on a stream that began anew, and with it what trimming
-- relies on: nothing of such a stream is in a checkpoint.
--
-- KEYS[1]  lease of this consumer; its value must be our fencing token
-- KEYS[2]  positions of the group, hash: position:<stream>, floor:<stream>
-- ARGV[1]  fencing token
-- ARGV[2]  stream
-- ARGV[3]  the position, an entry id
--
-- Errors: FENCED when the lease is not ours, before anything was written.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease ' .. KEYS[1] .. ' is not held with this token')
end
return redis.call('HSET', KEYS[2], 'position:' .. ARGV[2], ARGV[3], 'floor:' .. ARGV[2], '0-0')
