-- What became of a key that was due. KEYS: counter, index. ARGV: key, the moment at which it was due, milliseconds that
-- it has left (-2: it is gone, -1: it stays for ever). Nothing is done when somebody dealt with it meanwhile.
local counter, index = KEYS[1], KEYS[2]
if redis.call('ZSCORE', index, ARGV[1]) ~= ARGV[2] then
  return 0
end
local left = tonumber(ARGV[3])
if left == -2 then
  redis.call('ZREM', index, ARGV[1])
  lower(counter)
elseif left == -1 then
  redis.call('ZADD', index, 'inf', ARGV[1])
else
  local time = redis.call('TIME')
  redis.call('ZADD', index, time[1] * 1000 + math.floor(time[2] / 1000) + left + 1, ARGV[1])
end
return 1
