-- A counted key has another time to live. KEYS: index. ARGV: key, milliseconds to live ("" for ever).
local time = redis.call('TIME')
local score = 'inf'
if ARGV[2] ~= '' then
  score = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
end
return redis.call('ZADD', KEYS[1], 'XX', score, ARGV[1])
