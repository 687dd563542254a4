-- Adds to a number that is there. KEYS: key. ARGV: amount. Answers the sum as text (a number would lose digits beyond
-- 2^53), or nil when there is no such key.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' then
  return sum
end
return redis.call('GET', KEYS[1])
