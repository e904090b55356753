#!lua
-- Publishes a message that a replay made, and records what it was made from and whose place it
-- takes, in one step.
--
-- KEYS[1]  the message's stream
-- KEYS[2]  lineage stream
-- ARGV[1]  lineage record, JSON
-- ARGV[2]  and on: field arguments of the message
--
-- Returns the new entry's id.

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

local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2, #ARGV))
redis.call('XADD', KEYS[2], '*', 'data', ARGV[1], 'ids', id)
return id
