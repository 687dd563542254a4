-- Takes a place for a key that is elsewhere in the cluster. KEYS: counter, index. ARGV: key, milliseconds to live (""
-- for ever), soft limit, hard limit, "1" to go on although keys are due.
-- Answers {"due"} when keys should be looked at first, {"many"}, {"made", count} or {"taken", count}: the place of a
-- former key of this name, which expired and was not given back yet.
local counter, index = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local score = 'inf'
if ARGV[2] ~= '' then
  score = now + ARGV[2]
end
local known = redis.call('ZSCORE', index, ARGV[1])
if known and tonumber(known) <= now then
  redis.call('ZADD', index, score, ARGV[1])
  return {'taken', redis.call('GET', counter) or '1'}
end
if ARGV[5] ~= '1' and redis.call('ZCOUNT', index, '-inf', now) > 0 then
  return {'due'}
end
local count = one_more(counter, tonumber(ARGV[3]), tonumber(ARGV[4]), true)
if type(count) == 'table' then
  return count
end
redis.call('ZADD', index, 'NX', score, ARGV[1])
return {'made', count}
