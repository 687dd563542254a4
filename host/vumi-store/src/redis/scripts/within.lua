-- A write under a quota, where the key and its owner's counter are in one place.
-- KEYS: key, counter, index. ARGV: "set" or "incr", value or amount, milliseconds to live ("" for ever, "0" none at
-- all), soft limit, hard limit.
-- Answers {"changed", sum}, {"created", count} or {"many"}.
--
-- The counter is Vumi's: a plain decimal number. The index is ours: a sorted set of those counted keys that expire, by
-- the moment (milliseconds) at which they do, so that keys that have expired can be subtracted from the counter. Keys
-- that Vumi wrote are in the counter but not in the index.
local key, counter, index = KEYS[1], KEYS[2], KEYS[3]
local what, value, ttl, soft, hard = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if redis.call('EXISTS', key) == 1 then
  if what == 'incr' then
    local sum = redis.pcall('INCRBY', key, value)
    if type(sum) == 'table' then
      return sum
    end
    -- As text: a number would lose digits beyond 2^53 on its way out.
    return {'changed', redis.call('GET', key)}
  end
  if ttl == '0' then
    redis.call('DEL', key)
    redis.call('ZREM', index, key)
    lower(counter)
  elseif ttl == '' then
    redis.call('SET', key, value)
    redis.call('ZREM', index, key)
  else
    redis.call('SET', key, value, 'PX', ttl)
    redis.call('ZADD', index, now + ttl, key)
  end
  return {'changed', ''}
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 1000)) do
  local left = redis.pcall('PTTL', member)
  if type(left) ~= 'number' or left == -1 then
    redis.call('ZREM', index, member)
  elseif left == -2 then
    redis.call('ZREM', index, member)
    lower(counter)
  else
    redis.call('ZADD', index, now + left + 1, member)
  end
end

local count = one_more(counter, soft, hard, ttl ~= '0')
if type(count) == 'table' then
  return count
end
if ttl == '' then
  redis.call('SET', key, value)
  -- A former key of this name may stand there whose end was not noticed yet.
  if redis.call('ZREM', index, key) == 1 then
    lower(counter)
  end
elseif ttl ~= '0' then
  redis.call('SET', key, value, 'PX', ttl)
  if redis.call('ZADD', index, now + ttl, key) == 0 then
    lower(counter)
  end
end
return {'created', count}
