#!lua flags=allow-oom
-- Takes, renews or gives back a lease. Its value is a fencing token, drawn from a counter that
-- only grows, so a holder that slept through its lease can be told from the next one. It runs when
-- memory has run out too: a worker that waits for room is not dead.
--
-- KEYS[1]  lease
-- KEYS[2]  epoch: the counter of tokens
-- ARGV[1]  'acquire', 'renew', 'release' or 'break'
-- ARGV[2]  time to live in milliseconds
-- ARGV[3]  token (renew, release), or the holder's name (acquire, break)
--
-- acquire returns the token, or false while somebody else holds the lease; a holder that does not
--   know it has the lease, because the reply was lost on its way, gets a new token;
-- renew and release return 1, or 0 when the token is not the one in force;
-- break returns 1, or 0 when the lease is not that holder's.

if ARGV[1] == 'acquire' then
  local held = redis.call('GET', KEYS[1])
  if held and held:match('^%d+:(.*)$') ~= ARGV[3] then return false end
  local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[3]
  redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
  return token
end

if ARGV[1] == 'break' then
  local held = redis.call('GET', KEYS[1])
  if not held or held:match('^%d+:(.*)$') ~= ARGV[3] then return 0 end
  return redis.call('DEL', KEYS[1])
end

if redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end
if ARGV[1] == 'renew' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  redis.call('DEL', KEYS[1])
end
return 1
