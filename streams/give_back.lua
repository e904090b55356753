#!lua flags=allow-oom
-- Takes back the attempts of what a consumer read and did not finish, when it ends in good order:
-- it was told to stop, it did not die of them.
--
-- KEYS[1]  stream
-- KEYS[2]  lease of the consumer, where it has to own the lane
-- ARGV[1]  group
-- ARGV[2]  consumer
-- ARGV[3]  entries from this id on; '-' for all
-- ARGV[4]  the consumer's fencing token, which KEYS[2] must hold; empty: it needs none
-- ARGV[5] and on: ids of entries that keep their attempts
--
-- Returns the id of the last entry of this step, or false when there was none.
-- Errors: FENCED (the lane is not the consumer's), before anything was written.

if ARGV[4] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return redis.error_reply('FENCED the lease ' .. KEYS[2] .. ' is not held with this token')
end

local stream, group, me = KEYS[1], ARGV[1], ARGV[2]
local last, kept = false, {}
for i = 5, #ARGV do kept[ARGV[i]] = true end
for _, item in ipairs(redis.call('XPENDING', stream, group, ARGV[3], '+', 1000, me)) do
  if not kept[item[1]] then
    local attempts = math.max(0, item[4] - 1)
    redis.call('XCLAIM', stream, group, me, 0, item[1], 'RETRYCOUNT', attempts, 'JUSTID')
  end
  last = item[1]
end
return last
