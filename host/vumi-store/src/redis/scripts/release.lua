-- Gives a place back. KEYS: counter, index. ARGV: key to strike out of the index, or "".
if ARGV[1] ~= '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
end
lower(KEYS[1])
return 1
