#!lua
-- Takes over pending entries of a consumer whose lease has run out, and removes the consumer's name
-- once it has none left: both in one step, so that no entry can slip in between and be destroyed.
--
-- KEYS[1]  stream
-- KEYS[2]  lease of the other consumer
-- KEYS[3]  lease of the caller, where it has to own the lane
-- ARGV[1]  group
-- ARGV[2]  the other consumer; may be the caller itself, then its own lease does not matter
-- ARGV[3]  the caller
-- ARGV[4]  highest number of entries to claim at once
-- ARGV[5]  entries delivered more often than this are claimed one at a time, so that only the one
--          that kills its worker keeps gaining attempts
-- ARGV[6]  only entries from this id on; '-' for all
-- ARGV[7]  and up to this one; '+' for all
-- ARGV[8]  0: this delivery is not counted as an attempt (the worker never died)
-- ARGV[9]  1: oldest first; 0: those delivered least come first
-- ARGV[10] the caller's fencing token, which KEYS[3] must hold; empty: any caller may claim
-- ARGV[11] and on: ids of entries that are left where they are
--
-- Returns {pending entries seen, {{id, attempts, fields or false}, ...}}; false fields: the entry
-- itself is gone from the stream (it was trimmed or deleted), and is no longer pending either.
-- Errors: FENCED (the lane is not the caller's), before anything was claimed.

if ARGV[10] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[10] then
  return redis.error_reply('FENCED the lease ' .. KEYS[3] .. ' is not held with this token')
end

local stream, group, other, me = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if other ~= me and redis.call('EXISTS', KEYS[2]) == 1 then return {0, {}} end

local left = {}
for i = 11, #ARGV do left[ARGV[i]] = true end
local many = tonumber(ARGV[4])
local found = redis.call('XPENDING', stream, group, ARGV[6], ARGV[7], many + #ARGV - 10, other)
if #found == 0 and other ~= me and ARGV[6] == '-' and ARGV[7] == '+' then
  redis.call('XGROUP', 'DELCONSUMER', stream, group, other)
end

local pending = {}
for _, item in ipairs(found) do
  if not left[item[1]] then
    pending[#pending + 1] = item
    item[5] = #pending
  end
end

-- An entry that kills its workers keeps none of its neighbours waiting, if their order allows it.
if ARGV[9] ~= '1' then
  table.sort(pending, function(a, b)
    if a[4] ~= b[4] then return a[4] < b[4] end
    return a[5] < b[5]
  end)
end

local claimed = {}
for _, item in ipairs(pending) do
  local id, delivered = item[1], item[4]
  local alone = delivered > tonumber(ARGV[5])
  if #claimed == many or (alone and #claimed > 0) then break end
  local attempts = delivered + tonumber(ARGV[8])
  local entries = redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', attempts)
  local fields = entries[1] and entries[1][2] or false
  claimed[#claimed + 1] = {id, attempts, fields}
  if alone then break end
end
return {#pending, claimed}
