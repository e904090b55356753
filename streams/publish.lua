#!lua
-- Appends entries to one stream; an entry whose producer id is remembered is not appended again.
--
-- KEYS[1]  stream
-- KEYS[2]  and on: the seen keys of the entries that have a producer id, in their order
-- ARGV[1]  milliseconds for which an id is remembered
-- then the entries, each:
--   1 if it has a producer id (the next of KEYS), number of field arguments, those arguments
--
-- A remembered id has a question mark before it until a gate has accepted the entry (see commit.lua).
--
-- Returns a pair an entry: its id, and 1 if it was there before.

local at, seen, written = 2, 2, {}
while at <= #ARGV do
  local n = tonumber(ARGV[at + 1])
  local known = false
  if ARGV[at] == '1' then known = redis.call('GET', KEYS[seen]) end
  if known then
    redis.call('PEXPIRE', KEYS[seen], ARGV[1]) -- a write, so WAIT waits for what is known too
    written[#written + 1] = {known:match('^%??(.*)$'), 1}
  else
    local id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 2, at + 1 + n))
    if ARGV[at] == '1' then redis.call('SET', KEYS[seen], '?' .. id, 'PX', ARGV[1]) end
    written[#written + 1] = {id, 0}
  end
  if ARGV[at] == '1' then seen = seen + 1 end
  at = at + 2 + n
end
return written
