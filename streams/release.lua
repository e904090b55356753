#!lua
-- Brings a quarantined message back to its stream: append it, record where it came from, and remove
-- it from the quarantine, in one step; a second release of the same entry does nothing.
--
-- KEYS[1]  quarantine stream
-- KEYS[2]  the message's own stream
-- KEYS[3]  lineage stream
-- ARGV[1]  entry id in the quarantine
-- ARGV[2]  lineage record, JSON
-- ARGV[3]  and on: field arguments of the message
--
-- Returns the new entry's id, or false when the quarantine has no such entry any more.

-- Everything is looked at before anything is written, for a script is not undone.
for i = 2, 3 do
  local sort = redis.call('TYPE', KEYS[i]).ok
  if sort ~= 'stream' and sort ~= 'none' then
    return redis.error_reply('WRONGTYPE the key ' .. KEYS[i] .. ' is a ' .. sort .. ', not a stream')
  end
  if not redis.acl_check_cmd('XADD', KEYS[i], '*', 'data', '') then
    return redis.error_reply('NOPERM this user may not XADD to ' .. KEYS[i])
  end
end
if not redis.acl_check_cmd('XDEL', KEYS[1], ARGV[1]) then
  return redis.error_reply('NOPERM this user may not XDEL from ' .. KEYS[1])
end

if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return false end
local id = redis.call('XADD', KEYS[2], '*', unpack(ARGV, 3, #ARGV))
redis.call('XADD', KEYS[3], '*', 'data', ARGV[2], 'ids', id)
redis.call('XDEL', KEYS[1], ARGV[1])
return id
