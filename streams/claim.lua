#!lua
-- Takes over pending entries of a consumer whose lease has run out, and removes the consumer's name
-- once it has none left: both in one step, so that no entry can slip in between and be destroyed.
--
-- KEYS[1]  stream
-- KEYS[2]  lease of the other consumer
-- ARGV[1]  group
-- ARGV[2]  the other consumer; may be the caller itself, then its own lease does not matter
-- ARGV[3]  the caller
-- ARGV[4]  highest number of entries to claim at once
-- ARGV[5]  entries delivered more often than this are claimed one at a time, so that only the one
--          that kills its worker keeps gaining attempts
-- ARGV[6]  only entries from this id on; '-' for all
-- ARGV[7]  and up to this one; '+' for all
-- ARGV[8]  0: this delivery is not counted as an attempt (the worker never died)
-- ARGV[9]  and on: ids of another's entries that come last, since its process died over them
--
-- Returns {pending entries seen, {{id, attempts, fields or false}, ...}}; false fields: the entry
-- itself is gone from the stream (it was trimmed or deleted), and is no longer pending either.

local stream, group, other, me = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if other ~= me and redis.call('EXISTS', KEYS[2]) == 1 then return {0, {}} end

local pending = redis.call('XPENDING', stream, group, ARGV[6], ARGV[7], ARGV[4], other)
if #pending == 0 then
  if other ~= me and ARGV[6] == '-' and ARGV[7] == '+' then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, other)
  end
  return {0, {}}
end

-- Of another's entries those that were delivered least come first: an entry that kills its workers
-- keeps none of its neighbours waiting. Our own stay in their order, which may matter.
if other ~= me then
  local last = {}
  for i = 9, #ARGV do last[ARGV[i]] = 1 end
  for i, item in ipairs(pending) do item[5], item[6] = i, last[item[1]] or 0 end
  table.sort(pending, function(a, b)
    for _, by in ipairs({6, 4, 5}) do
      if a[by] ~= b[by] then return a[by] < b[by] end
    end
    return false
  end)
end

local claimed = {}
for _, item in ipairs(pending) do
  local id, delivered = item[1], item[4]
  local alone = delivered > tonumber(ARGV[5])
  if alone and #claimed > 0 then break end
  local attempts = delivered + tonumber(ARGV[8])
  local entries = redis.call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', attempts)
  local fields = entries[1] and entries[1][2] or false
  claimed[#claimed + 1] = {id, attempts, fields}
  if alone then break end
end
return {#pending, claimed}
