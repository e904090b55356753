#!lua flags=allow-oom
-- Takes back the attempts of what a consumer read and did not finish, when it ends in good order:
-- it was told to stop, it did not die of them.
--
-- KEYS[1]  stream
-- ARGV[1]  group
-- ARGV[2]  consumer
-- ARGV[3]  entries from this id on; '-' for all
--
-- Returns the id of the last entry of this step, or false when there was none.

local stream, group, me = KEYS[1], ARGV[1], ARGV[2]
local last = false
for _, item in ipairs(redis.call('XPENDING', stream, group, ARGV[3], '+', 1000, me)) do
  local attempts = math.max(0, item[4] - 1)
  redis.call('XCLAIM', stream, group, me, 0, item[1], 'RETRYCOUNT', attempts, 'JUSTID')
  last = item[1]
end
return last
