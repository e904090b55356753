#!lua flags=allow-oom
-- Trims a stream to what some group, some checkpoint or its retention still needs. It runs when
-- memory has run out too: trimming is what makes room.
--
-- KEYS[1]  stream
-- KEYS[2]  and on: positions of the stateful groups among the readers
-- ARGV[1]  milliseconds that entries are kept at least; 0: no such bound
-- ARGV[2]  entries that are kept at most, of those that nobody needs; 0: no such bound
-- ARGV[3]  1: the stream has retention of its own; 0: what everybody has settled goes at once
-- ARGV[4]  and on: the groups that must exist before anything is trimmed
--
-- Returns the number of entries removed, or -1 while a group that must exist is missing.

local stream = KEYS[1]
if redis.call('EXISTS', stream) == 0 then return 0 end

-- Ids are two 64-bit numbers; Lua's have 53 bits, so they are compared and counted as text.
local LAST = '18446744073709551615'
local function fewer(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
local function before(a, b)
  local a_ms, a_seq = a:match('^(%d+)-(%d+)$')
  local b_ms, b_seq = b:match('^(%d+)-(%d+)$')
  if a_ms ~= b_ms then return fewer(a_ms, b_ms) end
  return fewer(a_seq, b_seq)
end
local function plus_one(number)
  local head, digit, nines = number:match('^(%d-)([0-8]?)(9*)$')
  if digit == '' then return head .. '1' .. ('0'):rep(#nines) end
  return head .. string.char(digit:byte() + 1) .. ('0'):rep(#nines)
end
local function following(id)
  local ms, seq = id:match('^(%d+)-(%d+)$')
  if seq ~= LAST then return ms .. '-' .. plus_one(seq) end
  if ms ~= LAST then return plus_one(ms) .. '-0' end
  return id -- the last id there can be: nothing follows, and it stays
end
local function least(a, b)
  if a and before(a, b) then return a end
  return b
end

-- The first entry that somebody still needs; nil where nobody reads the stream.
local needed, groups = nil, {}
for _, row in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = {}
  for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
  groups[group['name']] = true
  if group['pending'] > 0 then
    needed = least(needed, redis.call('XPENDING', stream, group['name'])[2])
  else
    needed = least(needed, following(group['last-delivered-id']))
  end
end
for i = 4, #ARGV do
  if not groups[ARGV[i]] then return -1 end
end
for i = 2, #KEYS do
  local floor = redis.call('HGET', KEYS[i], 'floor:' .. stream)
  if not floor then return 0 end
  -- Behind its own floor: the stream began anew, and no checkpoint contains anything of it.
  local position = redis.call('HGET', KEYS[i], 'position:' .. stream)
  if position and before(position, floor) then return 0 end
  needed = least(needed, following(floor))
end

local removable = needed
if ARGV[3] == '1' then
  -- Retention frees what is too old, or too many; never what is needed.
  local free = nil
  if tonumber(ARGV[1]) > 0 then
    local now = redis.call('TIME')
    free = string.format('%.0f-0', now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(ARGV[1]))
  end
  local excess = redis.call('XLEN', stream) - tonumber(ARGV[2])
  if tonumber(ARGV[2]) > 0 and excess > 0 then
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(excess, 1000))
    local beyond = following(oldest[#oldest][1])
    if not free or before(free, beyond) then free = beyond end
  end
  if not free then return 0 end
  removable = least(needed, free)
elseif not needed then
  return 0
end
return redis.call('XTRIM', stream, 'MINID', removable)
