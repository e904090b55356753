#!lua
-- Settles a batch in one step: acknowledge each input, and emit only what belongs to an input whose
-- acknowledgement succeeded. Two workers that hold the same entry therefore never both emit.
--
-- The first line makes the server refuse the whole script before its first command when memory has
-- run out; without it XACK would succeed and XADD fail, and the message would be lost.
--
-- KEYS[1]  lease of this consumer; its value must be our fencing token
-- KEYS[2]  counters, hash: <group>:<stream>:<outcome> -> settled entries
-- KEYS[3]  checkpoint of the group, string
-- KEYS[4]  positions of the group, hash: position:<stream>, floor:<stream>
-- KEYS[5]  lineage stream
-- KEYS[6]  and on: every stream and every seen key that ARGV names by its index in KEYS
--
-- ARGV[1]  fencing token
-- ARGV[2]  group
-- ARGV[3]  lineage record, JSON; empty: none
-- ARGV[4]  sealed checkpoint that contains this batch; empty: none
-- ARGV[5]  milliseconds for which a producer's id is remembered
-- ARGV[6]  1: keep positions (a stateful worker)
-- ARGV[7]  number n of output streams, of which ARGV[9] and on are n indices into KEYS
-- ARGV[8]  consumer
-- then     number m of positions, then m pairs: a stream, and the last entry of it that the worker's
--          state contained before this batch
-- then the inputs, in runs of such as are alike, each run:
--   stream (index), outcome, number of inputs, 1 if each has a seen key,
--   number of outputs of each input, and their shapes, each:
--     stream (index), 1 if lineage wants its id, number of field arguments, 1 if the input's uid is
--     to follow them as the field 'parents'
--   then the inputs, each: entry id, seen key (index, 0: none) if they have one, and the field
--   arguments of its outputs
--
-- Returns {inputs acknowledged, duplicates among them, outputs emitted}.
-- Errors: FENCED (the lease is not ours, or a failover has taken commits back), NOPERM, and WRONGTYPE
-- for a stream, all before anything was written. Counters or positions that are no hash are found out
-- after it: inputs and outputs then stand as they should, counters and the lineage record are missing.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease ' .. KEYS[1] .. ' is not held with this token')
end

local group, consumer = ARGV[2], ARGV[8]
local at = 9
local want_lineage = ARGV[3] ~= ''

local function must_be_writable(key)
  local sort = redis.call('TYPE', key).ok
  if sort ~= 'stream' and sort ~= 'none' then
    return redis.error_reply('WRONGTYPE the key ' .. key .. ' is a ' .. sort .. ', not a stream')
  end
  if not redis.acl_check_cmd('XADD', key, '*', 'data', '') then
    return redis.error_reply('NOPERM this user may not XADD to ' .. key)
  end
end

for _ = 1, tonumber(ARGV[7]) do
  local refusal = must_be_writable(KEYS[tonumber(ARGV[at])])
  if refusal then return refusal end
  at = at + 1
end
if want_lineage then
  local refusal = must_be_writable(KEYS[5])
  if refusal then return refusal end
end

-- Books that may not be kept are found out before the first acknowledgement, too.
local function must_be_allowed(command, key, ...)
  if redis.acl_check_cmd(command, key, ...) then return nil end
  return redis.error_reply('NOPERM this user may not ' .. command .. ' ' .. key)
end

local refusal = must_be_allowed('HINCRBY', KEYS[2], 'entries', '1')
if ARGV[6] == '1' then refusal = refusal or must_be_allowed('HSET', KEYS[4], 'position', '0') end
if ARGV[4] ~= '' then refusal = refusal or must_be_allowed('SET', KEYS[3], '') end
for i = 6, #KEYS do
  if KEYS[i]:sub(1, 14) == 'penstock:seen:' then  -- one stands for all
    refusal = refusal or must_be_allowed('GET', KEYS[i]) or must_be_allowed('SET', KEYS[i], '')
      or must_be_allowed('DEL', KEYS[i])
    break
  end
end
if refusal then return refusal end

local positions = tonumber(ARGV[at])
at = at + 1
for _ = 1, positions do
  if (redis.call('HGET', KEYS[4], 'position:' .. ARGV[at]) or '') ~= ARGV[at + 1] then
    return redis.error_reply('FENCED the state of the worker is not the one of ' .. ARGV[at])
  end
  at = at + 2
end

local inputs, acked, duplicates, emitted = 0, 0, 0, 0
local counts, last, ids = {}, {}, {}

local function count(stream, outcome, n)
  local counter = group .. ':' .. stream .. ':' .. outcome
  if n > 0 then counts[counter] = (counts[counter] or 0) + n end
end

-- Whether the producer's id of an input was accepted before, under another entry. One that was only
-- published under that id, which a question mark tells, may still be rejected.
local function is_duplicate(seen, id, outcome)
  if seen == 0 then return false end
  local known = redis.call('GET', KEYS[seen])
  if outcome == 'accepted' then
    if known and known ~= id and known:sub(1, 1) ~= '?' then return true end
    redis.call('SET', KEYS[seen], id, 'PX', ARGV[5])
  elseif known == id or known == '?' .. id then
    redis.call('DEL', KEYS[seen])
  end
  return false
end

-- Acknowledges a run of inputs whose ids stand ARGV[from], ARGV[from + step] and so on, all in one
-- command if all of them are pending for us; whether it did. Where one of them is not, nothing is
-- done here: each has to be acknowledged by itself, to tell whose it was.
local function acknowledge(stream, from, step, many)
  if many < 2 or many > 4000 then return false end  -- Lua unpacks some 8,000 at most
  local to = from + (many - 1) * step
  -- A group that is gone is an error here, and must not end the script half way: XACK says 0.
  local pending = redis.pcall('XPENDING', stream, group, ARGV[from], ARGV[to], many, consumer)
  if pending.err or #pending ~= many then return false end
  local command = {'XACK', stream, group}
  for i = 1, many do
    local id = ARGV[from + (i - 1) * step]
    if pending[i][1] ~= id then return false end
    command[i + 3] = id
  end
  return redis.call(unpack(command)) == many
end

-- Appends an output whose n field arguments start at ARGV[from].
local function append(key, from, n, uid)
  if not uid then return redis.call('XADD', key, '*', unpack(ARGV, from, from + n - 1)) end
  if n == 2 then return redis.call('XADD', key, '*', ARGV[from], ARGV[from + 1], 'parents', uid) end
  local fields = {unpack(ARGV, from, from + n - 1)}
  fields[n + 1], fields[n + 2] = 'parents', uid
  return redis.call('XADD', key, '*', unpack(fields))
end

while at <= #ARGV do
  local stream, outcome = KEYS[tonumber(ARGV[at])], ARGV[at + 1]
  local many, with_seen, outputs = tonumber(ARGV[at + 2]), ARGV[at + 3] == '1', tonumber(ARGV[at + 4])
  at = at + 5
  local shapes = {}
  for i = 1, outputs do
    shapes[i] = {KEYS[tonumber(ARGV[at])], ARGV[at + 1] == '1', tonumber(ARGV[at + 2]), ARGV[at + 3] == '1'}
    at = at + 4
  end
  local settled, step = 0, with_seen and 2 or 1
  for i = 1, outputs do step = step + shapes[i][3] end
  local ours = acknowledge(stream, at, step, many)
  for _ = 1, many do
    local id, seen = ARGV[at], 0
    at = at + 1
    if with_seen then
      seen = tonumber(ARGV[at])
      at = at + 1
    end
    local emit = ours or redis.call('XACK', stream, group, id) == 1
    if emit then
      acked, last[stream] = acked + 1, id
      if is_duplicate(seen, id, outcome) then
        emit, duplicates = false, duplicates + 1
        count(stream, 'duplicate', 1)
      else
        settled = settled + 1
      end
    end
    for i = 1, outputs do
      local shape = shapes[i]
      local written = '-'
      if emit then
        written = append(shape[1], at, shape[3], shape[4] and stream .. '/' .. id)
        emitted = emitted + 1
      end
      if shape[2] then ids[#ids + 1] = written end
      at = at + shape[3]
    end
  end
  inputs = inputs + many
  count(stream, outcome, settled)
end

for counter, n in pairs(counts) do redis.call('HINCRBY', KEYS[2], counter, n) end
if want_lineage and emitted > 0 then
  redis.call('XADD', KEYS[5], '*', 'data', ARGV[3], 'ids', table.concat(ids, ' '))
end
if ARGV[6] == '1' then
  for stream, id in pairs(last) do redis.call('HSET', KEYS[4], 'position:' .. stream, id) end
end
-- A checkpoint contains the whole batch, so it is kept only if all of the batch was ours to settle.
if ARGV[4] ~= '' and acked == inputs then
  redis.call('SET', KEYS[3], ARGV[4])
  local places = redis.call('HGETALL', KEYS[4])
  for i = 1, #places, 2 do
    local stream = places[i]:match('^position:(.*)$')
    if stream then redis.call('HSET', KEYS[4], 'floor:' .. stream, places[i + 1]) end
  end
end
return {acked, duplicates, emitted}
