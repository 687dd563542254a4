-- Deletes a counted key, where it and its owner's counter are in one place. KEYS: key, counter, index. Answers 1 or 0.
if redis.call('DEL', KEYS[1]) == 0 then
  return 0
end
redis.call('ZREM', KEYS[3], KEYS[1])
lower(KEYS[2])
return 1
