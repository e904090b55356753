#!lua
-- Appends a version of a stream's baselines and records it in the lineage, in one step, unless
-- somebody else appended one in between.
--
-- KEYS[1]  baselines of the stream
-- KEYS[2]  lineage stream
-- ARGV[1]  id of the newest version that the caller has read; empty for none
-- ARGV[2]  the new version, JSON
-- ARGV[3]  lineage record, JSON
-- ARGV[4]  how many versions are kept
--
-- Returns the new entry's id, or false when the newest version is another one.

-- Everything is looked at before anything is written, for a script is not undone.
for i = 1, 2 do
  local sort = redis.call('TYPE', KEYS[i]).ok
  if sort ~= 'stream' and sort ~= 'none' then
    return redis.error_reply('WRONGTYPE the key ' .. KEYS[i] .. ' is a ' .. sort .. ', not a stream')
  end
  if not redis.acl_check_cmd('XADD', KEYS[i], '*', 'data', '') then
    return redis.error_reply('NOPERM this user may not XADD to ' .. KEYS[i])
  end
end
if not redis.acl_check_cmd('XTRIM', KEYS[1], 'MAXLEN', ARGV[4]) then
  return redis.error_reply('NOPERM this user may not XTRIM ' .. KEYS[1])
end

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if (newest[1] and newest[1][1] or '') ~= ARGV[1] then return false end
local id = redis.call('XADD', KEYS[1], '*', 'data', ARGV[2])
redis.call('XADD', KEYS[2], '*', 'data', ARGV[3], 'ids', id)
redis.call('XTRIM', KEYS[1], 'MAXLEN', ARGV[4])
return id
