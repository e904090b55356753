#!lua
-- Reads new entries for a group whose lane one consumer owns alone. An owner that slept through its
-- lease must not take entries that its successor would then never see.
--
-- KEYS[1]  lease; its value must be our fencing token
-- KEYS[2]  and on: streams
-- ARGV[1]  fencing token
-- ARGV[2]  group
-- ARGV[3]  consumer
-- ARGV[4]  entries a stream, at most
--
-- Returns what XREADGROUP returns. Error: FENCED (the lease is not ours).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease ' .. KEYS[1] .. ' is not held with this token')
end
local command = {'XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[4], 'STREAMS'}
for i = 2, #KEYS do command[#command + 1] = KEYS[i] end
for _ = 2, #KEYS do command[#command + 1] = '>' end
return redis.call(unpack(command))
